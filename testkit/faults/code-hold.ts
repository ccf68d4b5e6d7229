import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "./eventually.ts";

/** A line of the product's code: the first in the file that holds `text`. */
export type Line = { file: string; text: string };

/** Node opens its debugger's port when it gets SIGUSR1: the program itself needs nothing for that. */
const DEBUGGER = "http://127.0.0.1:9229";
const LIMIT_MS = 20_000;
const REPLY_LIMIT_MS = 1_000;

type Message = {
  id?: number;
  result?: unknown;
  error?: { message: string };
  method?: string;
  params?: { hitBreakpoints?: string[] };
};
type Evaluated = { result: { value: unknown } };
type Breakpoint = { breakpointId: string; locations: unknown[] };

/**
 * Has a process of the product stop before it runs that line. One process at a time: the debugger's port is one. The
 * process must have started wholly, for SIGUSR1 kills a Node that has not.
 */
export async function holdInCode(pid: number, { file, text }: Line) {
  const lineNumber = (await readFile(file, "utf8")).split("\n").findIndex((line) => line.includes(text));
  if (lineNumber < 0) throw new Error(`${file} has no line that holds "${text}".`);
  process.kill(pid, "SIGUSR1");
  const url = await eventually(`process ${pid} opens its debugger`, LIMIT_MS, debuggerUrl);
  const socket = new WebSocket(url);
  await once(socket, "open");

  const replies = new Map<number, PromiseWithResolvers<unknown>>();
  const paused = Promise.withResolvers<void>();
  let breakpointId: string | undefined;
  let lastId = 0;
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(String(data)) as Message;
    if (id !== undefined) error ? replies.get(id)?.reject(new Error(error.message)) : replies.get(id)?.resolve(result);
    if (method === "Debugger.paused" && params?.hitBreakpoints?.includes(breakpointId!)) paused.resolve();
  });
  const send = <Result>(method: string, params = {}) => {
    const reply = Promise.withResolvers<unknown>();
    replies.set(++lastId, reply);
    socket.send(JSON.stringify({ id: lastId, method, params }));
    return reply.promise as Promise<Result>;
  };
  const asked = await send<Evaluated>("Runtime.evaluate", { expression: "process.pid" });
  if (asked.result.value !== pid) throw new Error(`The debugger's port is process ${asked.result.value}'s.`);
  await send("Debugger.enable");
  // The file's name and its folder's: the product that runs may be a copy of this one.
  const urlRegex = `/${file.split(sep).slice(-2).join("/").replaceAll(".", "\\.")}$`;
  const breakpoint = await send<Breakpoint>("Debugger.setBreakpointByUrl", { lineNumber, urlRegex });
  if (breakpoint.locations.length === 0) throw new Error(`Process ${pid} has not loaded ${file}.`);
  breakpointId = breakpoint.breakpointId;

  /** Lets it go on without a debugger; does nothing where it has died. */
  async function release(): Promise<void> {
    if (socket.readyState !== WebSocket.OPEN) return;
    const closed = once(socket, "close");
    send("Debugger.disable").catch(() => {});
    // Closes the port too, for the next process that is to be held.
    const ended = send("Runtime.evaluate", { expression: "process._debugEnd()" }).catch(() => {});
    // A process that ends waits for its debugger to go, and then gives no reply any more.
    await Promise.race([closed, ended, delay(REPLY_LIMIT_MS)]);
    socket.close();
    await Promise.race([closed, delay(REPLY_LIMIT_MS)]);
  }
  return {
    release,
    /** Resolves when the process stands before the line; throws, and lets it go on, where it does not come there. */
    async reached(): Promise<void> {
      try {
        await within(paused.promise, `process ${pid} comes to "${text}"`);
      } catch (error) {
        await release();
        throw error;
      }
    },
  };
}

async function debuggerUrl(): Promise<string | undefined> {
  try {
    const targets = (await (await fetch(`${DEBUGGER}/json/list`)).json()) as { webSocketDebuggerUrl: string }[];
    return targets[0]?.webSocketDebuggerUrl;
  } catch {
    return undefined; // Not yet.
  }
}

async function within(promise: Promise<void>, what: string): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`It did not come about that ${what}.`)), LIMIT_MS);
  try {
    await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
