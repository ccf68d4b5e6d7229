import { Child } from "../../children/child.ts";
import { childFailure, isNaturalStop } from "./child-failure.ts";
import type { GgufReply, GgufRequest } from "./gguf-messages.ts";
import { pushed } from "./pushed.ts";
import { stoppedEarly, type Writer, type WritingRequest } from "./writer.ts";

export type GgufOptions = { path: string };

/** What fits into the child's context beside the instruction, whatever the script: a character may take a token. */
const PROMPT_CHARACTERS = 2_500;
const HEAP_MIB = 512;
/** For one reply, the loading of the model included, ms; the process is killed then. */
const LONGEST_MS = 180_000;

/** A language model in a GGUF file, in a process of its own that is started by the first question. */
export function ggufWriter({ path }: GgufOptions): Writer {
  let child: Child | undefined;
  return {
    name: "gguf",
    isLocal: true,
    followsInstructions: true,
    async *write(request: WritingRequest) {
      const { signal } = request;
      if (!child || child.hasEnded)
        child = new Child({ module: new URL("./gguf-child.ts", import.meta.url), name: "writing", heapMiB: HEAP_MIB });
      const message: GgufRequest = { modelPath: path, ...request.promptWithin(PROMPT_CHARACTERS) };
      const running = child;
      const pieces = pushed(async (push) => {
        const { stopReason } = await running.request<GgufReply>(message, {
          timeoutMs: LONGEST_MS,
          signal,
          // The model stays loaded: the process is told to stop, and stops at the next token.
          onAbort: "cancel",
          onProgress: push as (progress: unknown) => void,
        });
        if (!isNaturalStop(stopReason)) throw stoppedEarly(stopReason);
      });
      try {
        yield* pieces;
      } catch (error) {
        signal.throwIfAborted();
        throw childFailure(error);
      }
    },
    async close() {
      child?.kill();
      await child?.ended;
    },
  };
}
