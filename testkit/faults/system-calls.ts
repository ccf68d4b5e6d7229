import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A system call that has returned. */
export type SystemCall = {
  thread: number;
  name: string;
  /** As strace prints them: file descriptors with their path, bytes as a C string cut after some hundreds. */
  args: string;
  result: string;
  /** Where in the order of all that was seen it began and returned. */
  begun: number;
  returned: number;
};

const STRING_BYTES = 300;

/** Watches the system calls of processes, and of all that they start, until stop. Needs strace, and the right to trace. */
export async function traceSystemCalls(pids: readonly number[], names: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "caigun-trace-"));
  const output = join(folder, "calls");
  const options = ["-f", "-y", "-s", String(STRING_BYTES), "-o", output, "-e", `trace=${names.join(",")}`];
  const strace = spawn("strace", [...options, ...pids.flatMap((pid) => ["-p", String(pid)])], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const said: string[] = [];
  const attached = Promise.withResolvers<void>();
  const waiting = new Set(pids);
  createInterface({ input: strace.stderr }).on("line", (line) => {
    said.push(line);
    const pid = Number(/Process (\d+) attached/.exec(line)?.[1]);
    waiting.delete(pid);
    if (waiting.size === 0) attached.resolve();
  });
  strace.once("error", attached.reject);
  strace.once("exit", () => attached.reject(new Error(`strace ended: ${said.join("\n")}`)));
  await attached.promise;
  return {
    /** Detaches, and returns what was seen, in the order in which the calls returned. */
    async stop(): Promise<SystemCall[]> {
      const exited = once(strace, "exit");
      strace.kill("SIGINT");
      await exited;
      const calls = parseTrace(await readFile(output, "utf8"));
      await rm(folder, { recursive: true });
      return calls;
    },
  };
}

/** A call that another thread's interrupts is printed in two lines: `name(args <unfinished ...>`, `<... name resumed>rest`. */
export function parseTrace(text: string): SystemCall[] {
  const unfinished = new Map<number, { name: string; args: string; begun: number }>();
  const calls: SystemCall[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    const thread = Number(pid);
    const begins = /^(\w+)\((.*) <unfinished \.\.\.>$/.exec(rest);
    if (begins) {
      unfinished.set(thread, { name: begins[1]!, args: begins[2]!, begun: at });
      continue;
    }
    const resumes = /^<\.\.\. \w+ resumed>(.*)\) += (.*)$/.exec(rest);
    const first = unfinished.get(thread);
    if (resumes && first) {
      unfinished.delete(thread);
      calls.push({ ...first, thread, args: first.args + resumes[1], result: resumes[2]!, returned: at });
      continue;
    }
    const whole = /^(\w+)\((.*)\) += (.*)$/.exec(rest);
    if (whole) calls.push({ thread, name: whole[1]!, args: whole[2]!, result: whole[3]!, begun: at, returned: at });
  }
  return calls;
}
