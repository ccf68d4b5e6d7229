import { availableParallelism } from "node:os";
import { Child } from "../../children/child.ts";
import type { LearnProgress, LearnReply, LearnRequest } from "./messages.ts";

export type LearnOptions = { timeoutMs: number; signal: AbortSignal; onProgress: (progress: LearnProgress) => void };

const HEAP_MIB = 2_048;
const MEGABYTE = 1_000_000;
/** What a training takes at the most, however much there is; and the share of what is free that it may take. */
const MOST_MEMORY_BYTES = 2_000 * MEGABYTE;
const SHARE_OF_FREE_MEMORY = 0.8;

/** Trains an adapter in a process of its own, which is killed when the signal aborts. */
export async function learn(
  request: Omit<LearnRequest, "threads" | "memoryBytes">,
  { timeoutMs, signal, onProgress }: LearnOptions,
): Promise<LearnReply> {
  const child = new Child({
    module: new URL("./learn-child.ts", import.meta.url),
    name: "learning",
    heapMiB: HEAP_MIB,
    inBackground: true,
  });
  try {
    const message: LearnRequest = {
      ...request,
      threads: availableParallelism(),
      memoryBytes: Math.min(MOST_MEMORY_BYTES, SHARE_OF_FREE_MEMORY * process.availableMemory()),
    };
    return await child.request<LearnReply>(message, {
      timeoutMs,
      signal,
      onProgress: onProgress as (progress: unknown) => void,
    });
  } finally {
    child.kill();
    await child.ended;
  }
}
