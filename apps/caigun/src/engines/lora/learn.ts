import { availableParallelism, totalmem } from "node:os";
import { Child } from "../../children/child.ts";
import type { LearnProgress, LearnReply, LearnRequest } from "./messages.ts";

export type LearnOptions = { timeoutMs: number; signal: AbortSignal; onProgress: (progress: LearnProgress) => void };

const HEAP_MIB = 2_048;
/** What a training takes where that suffices: faster ways to compute it need more. */
const WANTED_MEMORY_BYTES = 2e9;
/** The share of a memory that a training may take. */
const SHARE_OF_MEMORY = 0.8;

/** Trains an adapter in a process of its own, which is killed when the signal aborts. */
export async function learn(
  request: Omit<LearnRequest, "threads" | "memoryBytes" | "mostMemoryBytes" | "machineMemoryBytes">,
  { timeoutMs, signal, onProgress }: LearnOptions,
): Promise<LearnReply> {
  const child = new Child({
    module: new URL("./learn-child.ts", import.meta.url),
    name: "learning",
    heapMiB: HEAP_MIB,
    inBackground: true,
  });
  const mostMemoryBytes = SHARE_OF_MEMORY * process.availableMemory();
  try {
    const message: LearnRequest = {
      ...request,
      threads: availableParallelism(),
      memoryBytes: Math.min(WANTED_MEMORY_BYTES, mostMemoryBytes),
      mostMemoryBytes,
      machineMemoryBytes: SHARE_OF_MEMORY * Math.min(totalmem(), process.constrainedMemory() || Infinity),
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
