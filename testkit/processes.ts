import { readdir, readFile } from "node:fs/promises";

export type ProcessFacts = { pid: number; parent: number; command: string };

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

async function allProcesses(): Promise<ProcessFacts[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, "utf8");
        const command = await readFile(`/proc/${pid}/cmdline`, "utf8");
        // The name in parentheses may hold anything, spaces and parentheses too.
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        return { pid: Number(pid), parent, command: command.replaceAll("\0", " ").trim() };
      } catch {
        return undefined; // it has ended meanwhile
      }
    }),
  );
  return found.filter((facts) => facts !== undefined);
}
