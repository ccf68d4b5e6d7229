import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BuildProgress } from "@caigun/passages";
import type { Logger } from "pino";
import { BlobDamaged, BlobMissing, type BlobStore } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import { IndexBuilder } from "../engines/local-reader/build.ts";
import type { DocumentFile } from "../engines/local-reader/messages.ts";
import type { EventChanges } from "../jobs/event-changes.ts";
import { type Job, Retryable } from "../jobs/index.ts";
import {
  advanceEvent,
  claimEvent,
  completeTraining,
  type Failure,
  failTraining,
  findEvent,
  modelDocuments,
  type Store,
} from "../store/index.ts";

export type TrainingTools = {
  store: Store;
  blobs: BlobStore;
  changes: EventChanges;
  /** Where unfinished artifacts stand; a training's own folder is removed when it ends. */
  workFolder: string;
  heapMiB: number;
  /** How often a training that fails for a passing reason is tried, the first time included. */
  maxAttempts: number;
  log: Logger;
};

/** In the order in which a training passes them. */
export const stages = ["accepted", "text", "passages", "index", "store", "probe", "commit"] as const;
export type Stage = (typeof stages)[number];

/** The share of a training's time that has passed when a stage begins, measured on a text of 1 MB. */
const startOf: Record<Stage, number> = {
  accepted: 0,
  text: 0.02,
  passages: 0.1,
  index: 0.35,
  store: 0.8,
  probe: 0.85,
  commit: 0.98,
};

/** Progress rows are written at most this often, ms: each is a durable commit. */
const PROGRESS_EVERY_MS = 250;

/** The event is no longer this attempt's: cancelled, past its deadline, or taken over by another worker. */
class NotOurs extends Error {
  override name = "NotOurs";
}

/**
 * Trains one model. Nothing is called ready before its index, opened from the blob store, was compared with every
 * document and returned it for several of its sentences. Every write carries the attempt: a worker that lost its lease
 * writes nothing. Throws Retryable for what may heal.
 */
export async function trainModel(tools: TrainingTools, job: Job, jobSignal: AbortSignal): Promise<void> {
  const { store, blobs, changes, workFolder, log } = tools;
  const claimed = await claimEvent(store.db, job.chatbotId, job.eventId);
  if (!claimed) return; // it has ended: cancelled while it waited, or past its deadline
  const { attempt, modelId, deadline } = claimed;
  const stopped = new AbortController();
  const finished = new AbortController();
  const signal = AbortSignal.any([jobSignal, stopped.signal]);
  const folder = join(workFolder, `${job.eventId}-${attempt}`);
  let stage: Stage = "accepted";
  let builder: IndexBuilder | undefined;

  const enter = async (next: Stage, fraction = 0, artifactDigest?: string) => {
    stage = next;
    const following = stages[stages.indexOf(next) + 1];
    const progress = startOf[next] + fraction * ((following ? startOf[following] : 1) - startOf[next]);
    const ours = await advanceEvent(store.db, job.chatbotId, job.eventId, attempt, { stage, progress, artifactDigest });
    if (!ours) {
      throw new NotOurs("The training was cancelled or taken over.");
    }
  };
  // A cancellation, here or on another machine, ends the work at once and not at its next sign of progress.
  const stopWhenEnded = async () => {
    const following = changes.follow(job.eventId);
    try {
      while (!finished.signal.aborted) {
        await following.changed(finished.signal);
        const event = await findEvent(store.db, job.chatbotId, job.eventId);
        if (!event || event.endedAt || event.attempt !== attempt) stopped.abort(new NotOurs("The training has ended."));
      }
    } catch (error) {
      // Not seeing a cancellation costs time, no truth: every write checks for itself.
      if (!finished.signal.aborted) log.warn({ eventId: job.eventId, err: error }, "can't follow the training's event");
    } finally {
      following.close();
    }
  };
  const report = throttled(PROGRESS_EVERY_MS, ({ stage, fraction }: BuildProgress) =>
    enter(stage, fraction).catch((error) => stopped.abort(error)),
  );

  const watching = stopWhenEnded();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await enter("accepted");
    const rows = await modelDocuments(store.db, job.chatbotId, modelId);
    const documents: DocumentFile[] = await Promise.all(
      rows.map(async ({ id, title, blobDigest, textSha256 }) => ({
        id,
        title,
        textSha256,
        path: await blobs.file(blobDigest),
      })),
    );
    builder = new IndexBuilder({
      heapMiB: tools.heapMiB,
      timeoutMs: Math.max(deadline.getTime() - Date.now(), 1),
      signal,
    });
    const made = join(folder, "index.sqlite");
    await builder.build(documents, made, report.call);
    await report.settled();

    await enter("store");
    // Written down before it is stored, so that a sweep knows it before the model refers to it.
    const artifact = await blobs.putFile(made, ({ digest }) => enter("store", 0.5, digest));

    await enter("probe");
    const probe = await builder.probe(await blobs.checkedFile(artifact.digest), documents);
    if (!probe.ok) throw new ProbeFailed(probe.cause);

    await enter("commit");
    const evaluation = { probed_sentences: probe.sentences };
    await completeTraining(store.db, job.chatbotId, job.eventId, attempt, {
      artifactDigest: artifact.digest,
      artifactBytes: artifact.bytes,
      evaluation,
    });
  } catch (error) {
    if (error instanceof NotOurs || stopped.signal.aborted) return;
    if (jobSignal.aborted) throw new Retryable("The worker was stopped.", { cause: error });
    const { failure, mayHeal } = explain(stage, error);
    if (mayHeal && attempt < tools.maxAttempts) {
      log.warn({ eventId: job.eventId, stage, attempt, err: error }, "training is tried again");
      throw new Retryable(failure.cause, { cause: error });
    }
    log.warn({ eventId: job.eventId, stage, err: error }, "training failed");
    await failTraining(store.db, job.chatbotId, job.eventId, attempt, failure);
  } finally {
    finished.abort();
    await watching;
    await builder?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

class ProbeFailed extends Error {
  override name = "ProbeFailed";
}

/** What a person is told, and whether the same might succeed another time. */
function explain(stage: Stage, error: unknown): { failure: Failure; mayHeal: boolean } {
  const message = error instanceof Error ? error.message : String(error);
  const tell = (cause: string, fix: string, mayHeal: boolean) => ({ failure: { stage, cause, fix }, mayHeal });
  if (error instanceof ChildRefused && error.refusal.name === "NothingToIndex")
    return tell(message, "Send a text that has words in it.", false);
  if (error instanceof ChildRefused) return tell(message, "Train again; if it fails again, report this cause.", false);
  if (error instanceof ChildEnded)
    return tell(message, "The machine may be short of memory: free some, or train on a smaller text.", true);
  if (error instanceof ChildTimedOut) return tell(message, "Split the text, or use a faster machine.", false);
  if (error instanceof ProbeFailed)
    return tell(
      `The finished index did not hold the text: ${message}`,
      "Train again; if it fails again, report this cause.",
      true,
    );
  if (error instanceof BlobMissing || error instanceof BlobDamaged)
    return tell(message, "Restore the blob store from a copy, or train again with the text.", false);
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOSPC" || code === "EDQUOT")
    return tell("The disk is full.", "Free some space below CAIGUN_HOME, then train again.", true);
  return tell(message, "Try again later; if it fails again, report this cause.", true);
}

/** Calls `write` with the latest value at most every `everyMs`, one call at a time. */
function throttled<Value>(everyMs: number, write: (value: Value) => Promise<void>) {
  let last = 0;
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  return {
    call: (value: Value) => {
      if (busy || Date.now() - last < everyMs) return;
      busy = true;
      last = Date.now();
      running = write(value).finally(() => {
        busy = false;
      });
    },
    settled: () => running,
  };
}
