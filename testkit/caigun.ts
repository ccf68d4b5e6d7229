import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readAnnouncement } from "../apps/caigun/src/home/index.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
/** The command line of this project. */
export const program = fileURLToPath(new URL("../apps/caigun/bin/caigun.mjs", import.meta.url));

/** A base as small as a model of its family can be. */
export const tinyGpt2 = fileURLToPath(new URL("../packages/lora/goldens/tiny-gpt2", import.meta.url));

/** Settings of every server and worker, unless a test is about what is fetched. */
export const nothingFetched = { CAIGUN_EMBEDDER: "none", CAIGUN_GPT2_BASE: tinyGpt2 };

/** A CaiGun as a person runs it: a process of its own, on a free port, with a home of its own. */
export type RunningCaigun = {
  url: string;
  /** Of the first chatbot; there on the home's first start. */
  apiKey: string;
  home: string;
  process: ChildProcess;
  /** What it printed when it was ready, line by line. */
  greeting: string[];
  /** What it has logged so far, line by line. */
  log: string[];
  /** Sends a call with the key; `apiKey: null` sends none. */
  call(path: string, options?: CallOptions): Promise<Response>;
  /** Ends it as Ctrl-C would, and waits until it has; the home stays. */
  stop(): Promise<void>;
  /** Ends it and removes its home. */
  remove(): Promise<void>;
};

export type CallOptions = Omit<RequestInit, "headers"> & {
  headers?: Record<string, string>;
  apiKey?: string | null;
  /** Sent as JSON. */
  json?: unknown;
};

export async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), "caigun-home-"));
  // As root the database runs as another user, who has to pass through.
  if (process.getuid?.() === 0) await chmod(home, 0o711);
  return home;
}

/** The variables of this process's environment whose names pass: for commands that a person sets by their environment. */
export function environmentOf(passes: (name: string) => boolean): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name, value]) => value !== undefined && passes(name));
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Starts a server, in a new home unless one is given, and waits until it is ready. */
export async function startCaigun({
  home,
  env = {},
  command = [process.execPath, program, "serve"],
}: {
  home?: string;
  env?: Record<string, string>;
  /** What is run: this project's server unless given. */
  command?: readonly [string, ...string[]];
} = {}): Promise<RunningCaigun> {
  const folder = home ?? (await makeHome());
  const [file, ...args] = command;
  const child = spawn(file, args, {
    cwd: project,
    env: {
      PATH: process.env.PATH ?? "",
      CAIGUN_HOME: folder,
      PORT: "0",
      CAIGUN_RATE_LIMIT_PER_MINUTE: "0",
      ...nothingFetched,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const exited = once(child, "exit");
  let url: string | undefined;
  let apiKey = "";
  const greeting: string[] = [];
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      greeting.push(line);
      url ??= /running at (\S+)/.exec(line)?.[1];
      apiKey ||= /API key +(\S+)/.exec(line)?.[1] ?? "";
      // The last line of the greeting is empty, and so is its first.
      if (url && line === "") resolve();
    });
    exited.then(([code, signal]) => reject(new Error(`The server ended (${code ?? signal}):\n${log.join("\n")}`)));
  });
  await ready;

  const stop = async () => {
    // The server itself is told: npm, where it started it, would not wait for it, and ends after it.
    const announced = await readAnnouncement(folder);
    if (announced) process.kill(announced.pid, "SIGTERM");
    else child.kill("SIGTERM");
    await exited;
  };
  return {
    url: url!,
    apiKey,
    home: folder,
    process: child,
    greeting,
    log,
    call(path, { apiKey: key = apiKey, headers, json, ...options } = {}) {
      return fetch(new URL(path, url), {
        ...options,
        headers: {
          ...(key === null ? {} : { "api-key": key }),
          ...(json === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      });
    },
    stop,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Follows a training by its event stream to its end, and returns the model as it then is. */
export async function trained(
  caigun: RunningCaigun,
  { id, event_id }: { id: string; event_id: string },
  apiKey = caigun.apiKey,
) {
  const stream = await caigun.call(`/api/external/chatbot/events/${event_id}/stream`, {
    apiKey,
    headers: { accept: "text/event-stream" },
  });
  await stream.text();
  return (await caigun.call(`/api/external/chatbot/models/${id}`, { apiKey })).json() as Promise<
    Record<string, unknown>
  >;
}

/** Until no model of the chatbot is in training any more. */
export async function waitUntilTrained(caigun: RunningCaigun): Promise<void> {
  const { models } = (await (await caigun.call("/api/external/chatbot/models")).json()) as {
    models: { id: string; event_id: string }[];
  };
  for (const model of models) await trained(caigun, model);
}

export type CommandResult = { exitCode: number | null; stdout: string; stderr: string };

/** Runs one command of the command line to its end. */
export async function runCommand(
  home: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (data) => {
      output[name] += data;
    });
  }
  const [exitCode] = await once(child, "close");
  return { exitCode, ...output };
}

/** Sends Ctrl-C to a command once `isDue`. */
export async function stopCommand(home: string, args: string[], isDue: () => Promise<boolean>) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (data) => {
    stderr += data;
  });
  const ended = once(child, "close");
  while (child.exitCode === null && !(await isDue())) await new Promise((resolve) => setTimeout(resolve, 2));
  child.kill("SIGINT");
  const [exitCode, signal] = await ended;
  return { exitCode, signal, stderr: stderr.split("\n").slice(-2).join("\n") };
}
