import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Evaluation } from "@caigun/contract";
import type { Embedding, EncoderFiles } from "../engines/embedding.ts";
import { IndexBuilder } from "../engines/local-reader/build.ts";
import type { DocumentFile, EncodingsKept } from "../engines/local-reader/messages.ts";
import type { EventChanges } from "../jobs/event-changes.ts";
import { type Job, Retryable } from "../jobs/index.ts";
import {
  type ChatbotId,
  completeTraining,
  failTraining,
  findModel,
  isEventLive,
  modelDocuments,
  previousEvaluation,
  type Store,
} from "../store/index.ts";
import { Attempt, NotOurs } from "./attempt.ts";
import { explainFailure, ProbeFailed } from "./explain-failure.ts";
import { forgetLearning, type LearningTools, learnText } from "./learn-text.ts";

export type TrainingTools = LearningTools & {
  store: Store;
  changes: EventChanges;
  /** Where unfinished artifacts stand; a training's own folder is removed when it ends. */
  workFolder: string;
  heapMiB: number;
  embedding: Embedding;
  embeddingThreads: number;
  encodings: EncodingsKept;
  /** How often a training that fails for a passing reason is tried, the first time included. */
  maxAttempts: number;
};

/** Of the time that is left until the deadline, the share that embedding may take. */
const EMBEDDING_SHARE = 0.8;
/** Of the time that is left until the deadline, the share that the wait for the embedding model may take. */
const WAITING_SHARE = 0.5;
/** Of the stage "embed", the share that fetching the model takes, the first time. */
const FETCHING_SHARE = 0.2;

/** Trains one model, and writes down how that ended. Throws Retryable for what may heal. */
export async function trainModel(tools: TrainingTools, job: Job, jobSignal: AbortSignal): Promise<void> {
  const attempt = await Attempt.begin(tools, job, jobSignal);
  // It was cancelled while it waited, or is past its deadline: what an earlier attempt learned is for nobody.
  if (!attempt) return await forgetLearning(tools, job.eventId);
  const { store, log } = tools;
  const { chatbotId, eventId } = job;
  try {
    const artifact = await makeArtifact(tools, chatbotId, eventId, attempt);
    await completeTraining(store.db, chatbotId, eventId, attempt.number, artifact);
    await forgetEnded(tools, eventId);
  } catch (thrown) {
    // What stopped the attempt says more than the request to the child that failed because of it.
    const error = attempt.signal.aborted ? attempt.signal.reason : thrown;
    if (error instanceof NotOurs) return await forgetEnded(tools, eventId);
    if (jobSignal.aborted) throw new Retryable("The worker was stopped.", { cause: error });
    const { failure, mayHeal } = explainFailure(attempt.stage, error);
    log.warn({ eventId, stage: failure.stage, attempt: attempt.number, mayHeal, err: error }, "training failed");
    if (mayHeal && attempt.number < tools.maxAttempts) throw new Retryable(failure.cause, { cause: error });
    await failTraining(store.db, chatbotId, eventId, attempt.number, failure);
    await forgetEnded(tools, eventId);
  } finally {
    await attempt.close();
  }
}

/** Removes what a training learned, unless it is another worker's now, who goes on from there. */
async function forgetEnded(tools: TrainingTools, eventId: string): Promise<void> {
  if (!(await isEventLive(tools.store.db, eventId))) await forgetLearning(tools, eventId);
}

/**
 * Builds the index and stores it. It is handed out only when, opened from the blob store, it was compared with every
 * document and returned it for several of its sentences. What it makes of its own text and of other questions is noted.
 */
async function makeArtifact(tools: TrainingTools, chatbotId: ChatbotId, eventId: string, attempt: Attempt) {
  const { store, blobs, workFolder, heapMiB } = tools;
  const folder = join(workFolder, `${eventId}-${attempt.number}`);
  const timeoutMs = Math.max(attempt.deadline.getTime() - Date.now(), 1);
  const builder = new IndexBuilder({ heapMiB, timeoutMs, signal: attempt.signal });
  const learns = (await findModel(store.db, chatbotId, attempt.modelId))?.engine === "lora";
  if (learns) attempt.expectLearning();
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
    const built = await builder.build(documents, made, ({ stage, fraction }) => attempt.report(stage, fraction));
    const encoder = await embed(tools, builder, made, built.languages, attempt);

    const adapter = learns ? await learnText(tools, eventId, made, folder, attempt) : undefined;

    await attempt.enter("store");
    // Written down before it is stored, so that a sweep knows it before the model refers to it.
    const { digest, bytes } = await blobs.putFile(made, ({ digest }) =>
      attempt.enter("store", 0.5, { artifactDigest: digest }),
    );

    await attempt.enter("probe");
    const index = await blobs.checkedFile(digest);
    const probe = await builder.probe(index, documents);
    if (!probe.ok) throw new ProbeFailed(probe.cause);
    const selfCheck = await builder.check(index, digest, encoder);
    const previous = await previousEvaluation(store.db, chatbotId, attempt.modelId);

    await attempt.enter("commit");
    const previousCheck = (previous?.evaluation as Evaluation | undefined)?.self_check;
    const evaluation: Evaluation = {
      probed_sentences: probe.sentences,
      stage_seconds: rounded(attempt.stageSeconds),
      self_check: selfCheck,
      previous: previous && previousCheck ? { model_id: previous.modelId, ...previousCheck } : null,
    };
    const retrieval = encoder ? "hybrid" : "lexical";
    return { artifactDigest: digest, artifactBytes: bytes, retrieval, evaluation, ...(adapter && { adapter }) };
  } finally {
    await builder.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Adds vectors to an index, where a document is in a language that the embedding model knows. Undefined: the index has
 * none, since the model can't be had or would take too long; it is then searched by its words.
 */
async function embed(
  { embedding, embeddingThreads, encodings, log }: TrainingTools,
  builder: IndexBuilder,
  index: string,
  languages: string[],
  attempt: Attempt,
): Promise<EncoderFiles | undefined> {
  if (!embedding.knowsOneOf(languages)) return undefined;
  await attempt.enter("embed");
  const remainingMs = () => Math.max(attempt.deadline.getTime() - Date.now(), 0);
  const encoder = await embedding.obtain({
    onProgress: (fraction) => attempt.report("embed", FETCHING_SHARE * fraction),
    signal: attempt.signal,
    waitMs: WAITING_SHARE * remainingMs(),
  });
  if (!encoder) return undefined;
  const until = Date.now() + EMBEDDING_SHARE * remainingMs();
  const { embedded, because } = await builder.embed(
    { index, encoder, threads: embeddingThreads, cache: encodings, until },
    (fraction) => attempt.report("embed", FETCHING_SHARE + (1 - FETCHING_SHARE) * fraction),
  );
  if (because !== undefined) log.warn({ modelId: attempt.modelId, because }, "the model is searched by words alone");
  return embedded > 0 ? encoder : undefined;
}

const rounded = (seconds: Record<string, number>) =>
  Object.fromEntries(Object.entries(seconds).map(([name, value]) => [name, Math.round(value * 1000) / 1000]));
