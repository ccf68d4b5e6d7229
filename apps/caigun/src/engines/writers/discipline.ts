import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  DelegateBackoff,
  handleWhen,
  retry,
} from "cockatiel";
import { pushed } from "./pushed.ts";
import { type Writer, WriterFailure, type WritingRequest } from "./writer.ts";

export type WritingLimits = {
  /** Replies that are written at a time, and questions that may wait for their turn. */
  concurrency: number;
  waiting: number;
  /** Until the first piece of a reply, between two pieces, and in all with waiting and retries, ms. */
  firstPieceMs: number;
  betweenPiecesMs: number;
  totalMs: number;
  /** Of a reply, UTF-16 units. */
  mostCharacters: number;
};

/** Times that one reply is begun, the first included. */
const MOST_ATTEMPTS = 3;
const FIRST_DELAY_MS = 150;
/** A writer that wants to be left alone for longer than this is: the person would wait in vain. */
const LONGEST_DELAY_MS = 2_000;
/** So many failures one after another, and the writer is left alone for so long, ms. */
const FAILURES_TO_OPEN = 5;
const HALF_OPEN_AFTER_MS = 10_000;

/**
 * A writer that always ends in time, with a reply or a WriterFailure: it is retried only before the first piece, left
 * alone while it fails, and asked by so many at a time.
 */
export function disciplined(writer: Writer, limits: WritingLimits): Writer {
  const isFailure = handleWhen((error) => {
    // That a writer wrote nothing in less time than it may take proves nothing against it, and nothing for it.
    if (error instanceof CutShort) return breaker.state === CircuitState.HalfOpen;
    // A writer that filled the room it had is well.
    return error instanceof WriterFailure && error.reason !== "unfinished";
  });
  const breaker: CircuitBreakerPolicy = circuitBreaker(isFailure, {
    halfOpenAfter: HALF_OPEN_AFTER_MS,
    breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
  });
  const queue = bulkhead(limits.concurrency, limits.waiting);
  return {
    name: writer.name,
    isLocal: writer.isLocal,
    followsInstructions: writer.followsInstructions,
    close: () => writer.close(),
    async *write(request: WritingRequest) {
      const stop = new AbortController();
      const late = new AbortController();
      const totalMs = limits.totalMs * (request.shareOfTime ?? 1);
      const timer = setTimeout(() => late.abort(timedOut("The reply took too long.")), totalMs);
      const signal = AbortSignal.any([request.signal, stop.signal, late.signal]);
      let hasBegun = false;
      const retried = retry(
        handleWhen((error) => !hasBegun && error instanceof WriterFailure && mayBeRetried(error)),
        { maxAttempts: MOST_ATTEMPTS - 1, backoff: new DelegateBackoff(delayMs) },
      );
      const pieces = pushed((push) => {
        const take = (piece: string) => {
          hasBegun = true;
          push(piece);
        };
        return queue.execute(() => {
          // Who waited for too long never reached the writer: that is no failure of its own.
          signal.throwIfAborted();
          return breaker.execute(async () => {
            const begunMs = performance.now();
            try {
              await retried.execute(() => attempt(writer, { ...request, signal }, limits, take), signal);
            } catch (error) {
              if (late.signal.aborted && performance.now() - begunMs < limits.firstPieceMs) throw new CutShort();
              throw error;
            }
          });
        });
      });
      try {
        // A turn may be waited for beyond the time there is.
        yield* untilAborted(pieces, signal);
      } catch (error) {
        request.signal.throwIfAborted();
        throw failureOf(late.signal.aborted ? late.signal.reason : error);
      } finally {
        clearTimeout(timer);
        stop.abort();
      }
    },
  };
}

/** There was less time left for a reply than a writer may take for its first piece. */
class CutShort extends Error {}

/** Hands on the pieces of one reply. Throws when one is late, also where the writer heeds no signal. */
async function attempt(
  writer: Writer,
  request: WritingRequest,
  { firstPieceMs, betweenPiecesMs, mostCharacters }: WritingLimits,
  take: (piece: string) => void,
): Promise<void> {
  request.signal.throwIfAborted();
  const stalled = new AbortController();
  const signal = AbortSignal.any([request.signal, stalled.signal]);
  const expectWithin = (milliseconds: number) =>
    setTimeout(() => stalled.abort(timedOut(`Nothing came for ${milliseconds / 1_000} s.`)), milliseconds);
  let timer = expectWithin(firstPieceMs);
  let characters = 0;
  try {
    for await (const piece of untilAborted(writer.write({ ...request, signal }), signal)) {
      clearTimeout(timer);
      characters += piece.length;
      if (characters > mostCharacters) throw new WriterFailure("too_long", "The reply is too long.");
      take(piece);
      timer = expectWithin(betweenPiecesMs);
    }
  } catch (error) {
    request.signal.throwIfAborted();
    if (error instanceof WriterFailure) throw error;
    // A process that can't be started, a library that can't be loaded: the reader still has its own reply.
    throw new WriterFailure("unreachable", "The writer can't be used.", { cause: error });
  } finally {
    clearTimeout(timer);
    stalled.abort(new WriterFailure("cut", "The reply is not waited for any more."));
  }
}

const timedOut = (message: string) => new WriterFailure("timeout", message);

function mayBeRetried({ mayPass, retryAfterMs = 0 }: WriterFailure): boolean {
  return mayPass && retryAfterMs <= LONGEST_DELAY_MS;
}

/** Twice as long each time, and never the same for two, so that those who failed together do not return together. */
function delayMs({ attempt, result }: { attempt: number; result: object }): number {
  const error = "error" in result ? result.error : undefined;
  const asked = error instanceof WriterFailure ? error.retryAfterMs : undefined;
  return (asked ?? 0) + FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
}

function failureOf(error: unknown): unknown {
  if (error instanceof BulkheadRejectedError)
    return new WriterFailure("busy", "Too many replies are being written.", { cause: error });
  if (error instanceof BrokenCircuitError)
    return new WriterFailure("circuit_open", "The writer has failed several times and is left alone for a while.");
  return error;
}

/** Ends with the signal's reason when it aborts, also where the source is stuck. */
async function* untilAborted(source: AsyncIterable<string>, signal: AbortSignal): AsyncGenerator<string> {
  const iterator = source[Symbol.asyncIterator]();
  const finished = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true, signal: finished.signal });
  });
  aborted.catch(() => undefined);
  try {
    for (;;) {
      const next = iterator.next();
      next.catch(() => undefined);
      const { done, value } = await Promise.race([next, aborted]);
      if (done) return;
      yield value;
    }
  } finally {
    finished.abort();
    // Not awaited: a source that is stuck would hold up the end.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
