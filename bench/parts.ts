import { readFile } from "node:fs/promises";
import { type ProcessFacts, processesOf } from "../testkit/processes.ts";

/** By what the processes are. */
export type ByPart = Record<string, number>;

/** The proportional set sizes of a process and all it has started, bytes: shared pages count once. */
export function proportionalSetSizes(root: number): Promise<ByPart> {
  return sumByPart(root, async (pid) => {
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
  });
}

/** Seconds of processor time that a process and all it has started have used. Ended ones are gone from the sum. */
export function processorSeconds(root: number): Promise<ByPart> {
  return sumByPart(root, async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // After the name in parentheses: state is the third field of proc(5), user and system ticks the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  });
}

/** Of the kernel's clock in /proc: the same on every Linux that this runs on. */
const TICKS_PER_SECOND = 100;

async function sumByPart(root: number, measure: (pid: number) => Promise<number>): Promise<ByPart> {
  const sums: ByPart = {};
  for (const facts of await processesOf(root)) {
    const measured = await measure(facts.pid).catch(() => 0); // it has ended meanwhile
    const part = partOf(facts);
    sums[part] = (sums[part] ?? 0) + measured;
  }
  return sums;
}

/** What a process is to the person who started it. */
export function partOf({ command }: Pick<ProcessFacts, "command">): string {
  if (command.includes("answer-child")) return "answering";
  if (command.includes("build-child")) return "training";
  if (/^npm\b/.test(command)) return "npm";
  if (/\bpostgres\b/.test(command)) return "database";
  return /\bnode\b.* serve$/.test(command) && !command.startsWith("sh ") ? "server" : "other";
}
