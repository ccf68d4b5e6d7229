import { Child, ChildEnded, ChildRefused, ChildTimedOut } from "../../children/child.ts";
import type { GgufReply, GgufRequest } from "./gguf-messages.ts";
import { pushed } from "./pushed.ts";
import { stoppedEarly, type Writer, WriterFailure, type WritingRequest } from "./writer.ts";

export type GgufOptions = { path: string };

/** What fits into the child's context beside the instruction, whatever the script: a character may take a token. */
const PROMPT_CHARACTERS = 2_500;
const HEAP_MIB = 512;
/** For one reply, the loading of the model included, ms; the process is killed then. */
const LONGEST_MS = 180_000;
/** Why a reply ends that is whole: not "maxTokens". */
const NATURAL_STOPS: ReadonlySet<string> = new Set(["eogToken", "stopGenerationTrigger", "customStopTrigger"]);

/** A language model in a GGUF file, in a process of its own that is started by the first question. */
export function ggufWriter({ path }: GgufOptions): Writer {
  let child: Child | undefined;
  return {
    name: "gguf",
    isLocal: true,
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
        if (!NATURAL_STOPS.has(stopReason)) throw stoppedEarly(stopReason);
      });
      try {
        yield* pieces;
      } catch (error) {
        signal.throwIfAborted();
        throw failureOf(error);
      }
    },
    async close() {
      child?.kill();
      await child?.ended;
    },
  };
}

function failureOf(error: unknown): unknown {
  if (error instanceof ChildTimedOut) return new WriterFailure("timeout", error.message, { cause: error });
  if (error instanceof ChildEnded)
    return new WriterFailure("unreachable", error.message, { mayPass: true, cause: error });
  if (error instanceof ChildRefused)
    return new WriterFailure("refused", `The language model can't be used: ${error.message}`, { cause: error });
  return error;
}
