import { join } from "node:path";
import { Child } from "../../children/child.ts";
import { BaseMissing, type BaseOptions, requireBase } from "../base-model.ts";
import { childFailure, isNaturalStop } from "../writers/child-failure.ts";
import { disciplined, type WritingLimits } from "../writers/discipline.ts";
import { pushed } from "../writers/pushed.ts";
import { stoppedEarly, type Writer, WriterFailure, type WritingRequest } from "../writers/writer.ts";
import type { Sampling, TalkReply, TalkRequest } from "./messages.ts";

/** A model's own weights, as they are found to write with: `path` rejects where the file is gone. */
export type AdapterFile = { path: () => Promise<string>; baseDigest: string };

const HEAP_MIB = 512;
/** For one reply, the making of a file that llama.cpp opens included, ms; the process is killed then. */
const LONGEST_MS = 180_000;

/** Writers that are trained: each model's adapter, all in one process, which is started by the first question. */
export class AdapterWriters {
  readonly #base: BaseOptions;
  readonly #sampling: Sampling;
  /** All adapters wait for their turn together. */
  readonly #writer: Writer;
  #child: Child | undefined;

  constructor(base: BaseOptions, limits: WritingLimits, sampling: Sampling) {
    this.#base = base;
    this.#sampling = sampling;
    this.#writer = disciplined(
      {
        name: "lora",
        isLocal: true,
        followsInstructions: false,
        write: (request) => this.#write(request),
        close: async () => {},
      },
      limits,
    );
  }

  /** The writer that words replies as one adapter learned to. */
  writerFor(adapter: AdapterFile): Writer {
    return { ...this.#writer, write: (request) => this.#writeWith(adapter, request) };
  }

  async close(): Promise<void> {
    this.#child?.kill();
    await this.#child?.ended;
  }

  /** That one adapter or its base is gone is found out before its turn: it is no failure of the writer that all share. */
  async *#writeWith({ path: find, baseDigest }: AdapterFile, request: WritingRequest): AsyncGenerator<string> {
    const path = await find().catch((cause: unknown) => {
      throw new WriterFailure("refused", "The file of the model's own weights is gone or damaged.", { cause });
    });
    const { files: base } = await requireBase(this.#base, baseDigest).catch((error: unknown) => {
      if (error instanceof BaseMissing) throw new WriterFailure("refused", error.message, { cause: error });
      throw error;
    });
    yield* this.#writer.write({ ...request, adapter: { path, baseDigest, base } });
  }

  async *#write({ adapter, grounds, signal }: WritingRequest): AsyncGenerator<string> {
    if (!grounds || !adapter) throw new WriterFailure("refused", "An adapter only words what stands in passages.");
    const { path, baseDigest, base } = adapter;
    if (!this.#child || this.#child.hasEnded)
      this.#child = new Child({
        module: new URL("./talk-child.ts", import.meta.url),
        name: "writing",
        heapMiB: HEAP_MIB,
      });
    const running = this.#child;
    const message: TalkRequest = {
      base,
      baseDigest,
      folder: join(this.#base.weightsFolder, "gguf"),
      adapter: path,
      question: grounds.question,
      passages: grounds.passages,
      sampling: this.#sampling,
    };
    try {
      yield* pushed(async (push) => {
        const { stopReason } = await running.request<TalkReply>(message, {
          timeoutMs: LONGEST_MS,
          signal,
          onAbort: "cancel",
          onProgress: push as (progress: unknown) => void,
        });
        if (!isNaturalStop(stopReason)) throw stoppedEarly(stopReason);
      });
    } catch (error) {
      signal.throwIfAborted();
      throw childFailure(error);
    }
  }
}
