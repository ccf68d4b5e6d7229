import { readFile } from "node:fs/promises";
import { processesOf } from "../testkit/processes.ts";

/** The proportional set size of a process and all it has started, bytes: shared pages are counted once. */
export async function proportionalSetSize(root: number): Promise<number> {
  const sizes = await Promise.all(
    (await processesOf(root)).map(async ({ pid }) => {
      const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
      return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
