import { readdir, readFile } from "node:fs/promises";

export type ProcessFacts = {
  pid: number;
  parent: number;
  command: string;
  /** When it started, in the kernel's ticks: tells it from a later process with the same number. */
  startTicks: number;
};

/** A process and all that it has started, directly or not, as /proc tells it. */
export async function processesOf(root: number): Promise<ProcessFacts[]> {
  const all = await allProcesses();
  const family = new Set([root]);
  // Parents come before their children only by luck: until nothing is added any more.
  for (let size = 0; size !== family.size; ) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

export async function allProcesses(): Promise<ProcessFacts[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, "utf8");
        const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
        // The name in parentheses may hold anything, spaces and parentheses too.
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        // One that has ended, and whose parent has not asked how, is gone for all but that.
        if (fields[0] === "Z") return undefined;
        const facts = { parent: Number(fields[1]), startTicks: Number(fields[19]) };
        return { pid: Number(pid), ...facts, command: command.replaceAll("\0", " ").trim() };
      } catch {
        return undefined; // it has ended meanwhile
      }
    }),
  );
  return found.filter((facts) => facts !== undefined);
}
