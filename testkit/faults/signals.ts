import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { isRunning } from "./product.ts";

/** Stops a process where it stands; returns what lets it go on, if it still lives. */
export function freeze(pid: number): () => void {
  process.kill(pid, "SIGSTOP");
  return () => {
    try {
      process.kill(pid, "SIGCONT");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
}

/** Kills a child of this process, and waits until it is gone. */
export async function kill9(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
