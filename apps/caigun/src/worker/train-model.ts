import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluation } from "@caigun/contract";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import { IndexBuilder } from "../engines/local-reader/build.ts";
import type { DocumentFile } from "../engines/local-reader/messages.ts";
import type { EventChanges } from "../jobs/event-changes.ts";
import { type Job, Retryable } from "../jobs/index.ts";
import {
  type ChatbotId,
  completeTraining,
  failTraining,
  modelDocuments,
  previousEvaluation,
  type Store,
} from "../store/index.ts";
import { Attempt, NotOurs } from "./attempt.ts";
import { explainFailure, ProbeFailed } from "./explain-failure.ts";

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

/** Trains one model, and writes down how that ended. Throws Retryable for what may heal. */
export async function trainModel(tools: TrainingTools, job: Job, jobSignal: AbortSignal): Promise<void> {
  const attempt = await Attempt.begin(tools, job, jobSignal);
  if (!attempt) return; // it was cancelled while it waited, or is past its deadline
  const { store, log } = tools;
  const { chatbotId, eventId } = job;
  try {
    const artifact = await makeArtifact(tools, chatbotId, eventId, attempt);
    await completeTraining(store.db, chatbotId, eventId, attempt.number, artifact);
  } catch (thrown) {
    // What stopped the attempt says more than the request to the child that failed because of it.
    const error = attempt.signal.aborted ? attempt.signal.reason : thrown;
    if (error instanceof NotOurs) return;
    if (jobSignal.aborted) throw new Retryable("The worker was stopped.", { cause: error });
    const { failure, mayHeal } = explainFailure(attempt.stage, error);
    log.warn({ eventId, stage: failure.stage, attempt: attempt.number, mayHeal, err: error }, "training failed");
    if (mayHeal && attempt.number < tools.maxAttempts) throw new Retryable(failure.cause, { cause: error });
    await failTraining(store.db, chatbotId, eventId, attempt.number, failure);
  } finally {
    await attempt.close();
  }
}

/**
 * Builds the index and stores it. It is handed out only when, opened from the blob store, it was compared with every
 * document and returned it for several of its sentences. What it makes of its own text and of other questions is noted.
 */
async function makeArtifact(
  { store, blobs, workFolder, heapMiB }: TrainingTools,
  chatbotId: ChatbotId,
  eventId: string,
  attempt: Attempt,
) {
  const folder = join(workFolder, `${eventId}-${attempt.number}`);
  const timeoutMs = Math.max(attempt.deadline.getTime() - Date.now(), 1);
  const builder = new IndexBuilder({ heapMiB, timeoutMs, signal: attempt.signal });
  try {
    await attempt.enter("accepted");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const rows = await modelDocuments(store.db, chatbotId, attempt.modelId);
    const documents: DocumentFile[] = await Promise.all(
      rows.map(async ({ id, title, blobDigest, textSha256 }) => ({
        id,
        title,
        textSha256,
        path: await blobs.file(blobDigest),
      })),
    );
    const made = join(folder, "index.sqlite");
    await builder.build(documents, made, ({ stage, fraction }) => attempt.report(stage, fraction));

    await attempt.enter("store");
    // Written down before it is stored, so that a sweep knows it before the model refers to it.
    const { digest, bytes } = await blobs.putFile(made, ({ digest }) => attempt.enter("store", 0.5, digest));

    await attempt.enter("probe");
    const index = await blobs.checkedFile(digest);
    const probe = await builder.probe(index, documents);
    if (!probe.ok) throw new ProbeFailed(probe.cause);
    const selfCheck = await builder.check(index, digest);
    const previous = await previousEvaluation(store.db, chatbotId, attempt.modelId);

    await attempt.enter("commit");
    const previousCheck = (previous?.evaluation as Evaluation | undefined)?.self_check;
    const evaluation: Evaluation = {
      probed_sentences: probe.sentences,
      stage_seconds: rounded(attempt.stageSeconds),
      self_check: selfCheck,
      previous: previous && previousCheck ? { model_id: previous.modelId, ...previousCheck } : null,
    };
    return { artifactDigest: digest, artifactBytes: bytes, evaluation };
  } finally {
    await builder.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const rounded = (seconds: Record<string, number>) =>
  Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, Math.round(value * 1000) / 1000]));
