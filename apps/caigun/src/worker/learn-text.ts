import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BaseRefused } from "@caigun/lora";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import { ChildRefused } from "../children/child.ts";
import { type BaseChoice, type BaseModel, type BaseOptions, fetchBase, refusalOf } from "../engines/base-model.ts";
import { learn } from "../engines/lora/learn.ts";
import type { JsonObject, TrainingResult } from "../store/index.ts";
import type { Attempt } from "./attempt.ts";

export type LearningTools = {
  blobs: BlobStore;
  /** What `gpt2` is trained on. */
  base: BaseOptions;
  /** Where the state of a learning stands that an ended process left: a later attempt goes on from it. */
  learningFolder: string;
  log: Logger;
};

/** Removes what an ended training reached. */
export async function forgetLearning(
  { learningFolder }: Pick<LearningTools, "learningFolder">,
  eventId: string,
): Promise<void> {
  for (const name of [eventId, `${eventId}.part`]) await rm(join(learningFolder, name), { force: true });
}

/** Removes what trainings reached that have ended elsewhere or were cancelled; `isLive` says of an event whether it goes on. */
export async function sweepLearning(
  learningFolder: string,
  isLive: (eventId: string) => Promise<boolean>,
): Promise<void> {
  for (const name of await readdir(learningFolder).catch(() => [])) {
    const eventId = name.replace(/\.part$/, "");
    if (!(await isLive(eventId))) await rm(join(learningFolder, name), { force: true });
  }
}

/** Of the time that is left until the deadline, the share that the wait for the first base may take. */
const WAITING_SHARE = 0.2;
/** Of the stage "learn", the share that fetching the base takes, the first time. */
const FETCHING_SHARE = 0.1;

/**
 * Has a language model learn the passages of an index, and stores its adapter. What it reached when a process was ended
 * is not lost: the next attempt on this machine goes on from there, to the same end.
 */
export async function learnText(
  { blobs, base: options, learningFolder, log }: LearningTools,
  eventId: string,
  index: string,
  folder: string,
  attempt: Attempt,
): Promise<NonNullable<TrainingResult["adapter"]>> {
  await attempt.enter("learn");
  const remainingMs = () => Math.max(attempt.deadline.getTime() - Date.now(), 1);
  const base = await fetchBase(options, {
    signal: attempt.signal,
    waitMs: WAITING_SHARE * remainingMs(),
    onUnavailable: (error) => log.warn({ eventId, err: error }, "gpt2 is trained on another base"),
    onProgress: ({ fraction }) => attempt.report("learn", FETCHING_SHARE * fraction),
  }).catch((error) => refused(error, options.choice));
  await mkdir(learningFolder, { recursive: true, mode: 0o700 });
  const target = join(folder, "adapter.gguf");
  const { bytes, facts } = await learn(
    { base, index, folder, checkpoint: join(learningFolder, eventId), target },
    {
      timeoutMs: remainingMs(),
      signal: attempt.signal,
      onProgress: (learning) =>
        attempt.report("learn", FETCHING_SHARE + (1 - FETCHING_SHARE) * (learning.step / learning.steps), learning),
    },
  ).catch((error) => refused(error, base));
  const { digest } = await blobs.putFile(target, ({ digest }) => attempt.enter("store", 0, { adapterDigest: digest }));
  return { base: base.name, digest, bytes, facts: facts as unknown as JsonObject };
}

/** Throws what is told of a base that can't be used, which goes to callers of the API: this machine's folders do not. */
function refused(error: unknown, base: BaseChoice | BaseModel): never {
  const isRefusal = error instanceof ChildRefused ? error.refusal.name === "BaseRefused" : error instanceof BaseRefused;
  throw isRefusal ? new BaseRefused(refusalOf(base, error as Error), { cause: error }) : error;
}
