import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** llama.cpp's own HTTP server, which speaks OpenAI's protocol, as a wheel carries it (MIT). */
const WHEEL = "xllamacpp==2026.10.11549";
const PROGRAM = `
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx = 4096
params.n_parallel = 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
sys.stdin.read()
`;

/** Serves a GGUF file on a free port, from a virtual environment of its own. */
export async function startLlamaServer(model: string): Promise<{ baseUrl: string; close(): Promise<void> }> {
  const environment = fileURLToPath(new URL("../../node_modules/.cache/caigun/llama-server", import.meta.url));
  const python = join(environment, "bin", "python");
  const isInstalled = await access(join(environment, "installed")).then(
    () => true,
    () => false,
  );
  if (!isInstalled) {
    await run("python3", ["-m", "venv", "--clear", environment]);
    await run(python, ["-m", "pip", "install", "-q", "--only-binary", ":all:", "--no-deps", WHEEL]);
    await run("touch", [join(environment, "installed")]);
  }
  // It ends with its standard input, also where this process is killed.
  const server = spawn(python, ["-c", PROGRAM, model], { stdio: ["pipe", "pipe", "ignore"] });
  return { baseUrl: `${await addressOf(server)}/v1`, close: () => end(server) };
}

async function addressOf(server: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: server.stdout! })) {
    const address = /^listening (http:\S+)$/.exec(line)?.[1];
    if (address) {
      server.stdout!.resume();
      return address;
    }
  }
  throw new Error("The server ended before it listened.");
}

async function end(server: ChildProcess): Promise<void> {
  const ended = once(server, "exit");
  server.kill("SIGKILL");
  await ended;
}
