import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

export type WorkFolder = { path: string; close(): Promise<void> };

/** A folder for this process's unfinished files; what processes that are gone have left in theirs is removed. */
export async function openWorkFolder(parent: string): Promise<WorkFolder> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  for (const name of await readdir(parent)) {
    // A process id that is used again is the only way to spare leftovers, until the next start.
    if (Number(name) === process.pid || !isRunning(Number(name)))
      await rm(join(parent, name), { recursive: true, force: true });
  }
  const path = join(parent, String(process.pid));
  await mkdir(path, { mode: 0o700 });
  return { path, close: () => rm(path, { recursive: true, force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
