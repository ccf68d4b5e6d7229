import { readFile } from "node:fs/promises";
import { type ProcessFacts, processesOf } from "../testkit/processes.ts";

/** The proportional set sizes of a process and all it has started, bytes, by what they are: shared pages count once. */
export async function proportionalSetSizes(root: number): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  for (const facts of await processesOf(root)) {
    const rollup = await readFile(`/proc/${facts.pid}/smaps_rollup`, "utf8").catch(() => "");
    const kilobytes = Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0);
    const part = partOf(facts);
    sizes[part] = (sizes[part] ?? 0) + kilobytes * 1024;
  }
  return sizes;
}

/** What a process is to the person who started it. */
export function partOf({ command }: Pick<ProcessFacts, "command">): string {
  if (command.includes("answer-child")) return "answering";
  if (command.includes("build-child")) return "training";
  if (/^npm\b/.test(command)) return "npm";
  if (/\bpostgres\b/.test(command)) return "database";
  return command.includes(" serve") ? "server" : "other";
}
