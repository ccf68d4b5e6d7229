import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The requests take the keys in turn. */
export type Load = { url: string; apiKeys: string[]; bodies: string[]; ratePerSecond: number; seconds: number };
export type LoadResult = {
  /** Milliseconds from the time a request was due, ascending. */
  latencies: number[];
  statuses: Record<string, number>;
  /** From the first request to the last reply. */
  elapsedSeconds: number;
};

/** Talks to a chatbot at a fixed rate, from a process of its own. */
export async function sendLoad(load: Load): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL("./load-process.ts", import.meta.url)), { serialization: "advanced" });
  child.send(load);
  const [result] = (await once(child, "message")) as [LoadResult];
  return result;
}

/** The value below which this share (0..1) of the ascending values lies: nearest rank. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}
