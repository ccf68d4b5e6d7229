import type { BaseFiles } from "@caigun/lora";
import type { Prompt } from "./prompt.ts";

/** What a writer is asked. */
export type WritingRequest = {
  /** What it is to write, with as much data as fits into `mostCharacters` (UTF-16 units). */
  promptWithin(mostCharacters: number): Prompt;
  /** Of a reply, what it is to rest on: for a writer that was trained on a form of its own. The best passage first. */
  grounds?: { question: string; passages: readonly string[] };
  /** Which trained weights write, for a writer that has many. */
  adapter?: { path: string; baseDigest: string; base: BaseFiles };
  /** Of the time that a reply may take, 0..1: what is no reply itself gets less. */
  shareOfTime?: number;
  /** Nobody waits for the rest any more: ends the writing, and what it costs, at once. */
  signal: AbortSignal;
};

/** Something that words a reply: an API elsewhere, or a language model on this machine. */
export interface Writer {
  readonly name: "google" | "openai" | "gguf" | "lora";
  /** Whether what people say stays on this machine. */
  readonly isLocal: boolean;
  /** Whether it can be asked for something else than the wording of an answer. */
  readonly followsInstructions: boolean;
  /** The reply in pieces as they come. Throws WriterFailure, or the signal's reason. */
  write(request: WritingRequest): AsyncIterable<string>;
  close(): Promise<void>;
}

/** Why a writer gave no reply, or not all of one. */
export type FailureReason =
  | "unreachable"
  | "refused"
  | "rate_limited"
  | "timeout"
  | "cut"
  | "unfinished"
  | "garbled"
  | "too_long"
  | "busy"
  | "circuit_open";

/** A writer failed. Its message is for the log: it holds no key, and nothing of what people said. */
export class WriterFailure extends Error {
  override name = "WriterFailure";
  readonly reason: FailureReason;
  /** Whether the same may succeed soon. */
  readonly mayPass: boolean;
  /** When it is to be tried again at the earliest, ms from now, where the writer said so. */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: FailureReason,
    message: string,
    {
      mayPass = false,
      retryAfterMs,
      cause,
    }: { mayPass?: boolean; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.reason = reason;
    this.mayPass = mayPass;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The failure that ends a reply whose writer stopped before the reply's own end; the reason is the writer's word for it. */
export function stoppedEarly(finishReason: string): WriterFailure {
  return new WriterFailure("unfinished", `The writer stopped before the end of its reply: ${finishReason}.`);
}

/** The failure that an HTTP status stands for. `retryAfter` is that header: seconds, or a date. */
export function failureOfStatus(status: number, retryAfter?: string | null): WriterFailure {
  const message = `The writer's server replied with status ${status}.`;
  const retryAfterMs = retryAfter ? millisecondsUntil(retryAfter) : undefined;
  if (status === 429) return new WriterFailure("rate_limited", message, { mayPass: true, retryAfterMs });
  if (status === 408 || status >= 500)
    return new WriterFailure("unreachable", message, { mayPass: true, retryAfterMs });
  return new WriterFailure("refused", message);
}

function millisecondsUntil(retryAfter: string): number | undefined {
  const seconds = Number(retryAfter);
  const milliseconds = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(retryAfter) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
