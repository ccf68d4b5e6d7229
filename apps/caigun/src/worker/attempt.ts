import type { Learning } from "@caigun/contract";
import type { Logger } from "pino";
import type { EventChanges } from "../jobs/event-changes.ts";
import type { Job } from "../jobs/index.ts";
import { type Advance, advanceEvent, claimEvent, findEvent, type Store } from "../store/index.ts";

/** In the order in which a training passes them. */
export const stages = ["accepted", "text", "passages", "index", "embed", "learn", "store", "probe", "commit"] as const;
export type Stage = (typeof stages)[number];

/** The share of a training's time that has passed when a stage begins, measured on a text of 1 MB that is embedded. */
const startOf: Record<Stage, number> = {
  accepted: 0,
  text: 0.01,
  passages: 0.02,
  index: 0.03,
  embed: 0.06,
  learn: 0.95,
  store: 0.95,
  probe: 0.97,
  commit: 0.99,
};
/** The same where a language model learns the text: that takes most of the time by far. */
const startOfLearning: Record<Stage, number> = {
  ...startOf,
  passages: 0.01,
  index: 0.01,
  embed: 0.02,
  learn: 0.1,
  store: 0.98,
  probe: 0.99,
};

/** Progress within a stage is written at most this often, ms: each row is a durable commit. */
const PROGRESS_EVERY_MS = 250;

/** The event is no longer this attempt's: cancelled, past its deadline, or taken over by another worker. */
export class NotOurs extends Error {
  override name = "NotOurs";
}

type Digests = Pick<Advance, "artifactDigest" | "adapterDigest">;

type Tools = { store: Store; changes: EventChanges; log: Logger };

/** One worker's attempt at a job, as the job's event tells it. Every write carries the attempt's number. */
export class Attempt {
  readonly number: number;
  readonly modelId: string;
  readonly deadline: Date;
  /** Aborted, with the reason, when the work has to stop. */
  readonly signal: AbortSignal;
  #tools: Tools;
  #job: Job;
  #stage: Stage = "accepted";
  #stageSince = performance.now();
  #seconds: Partial<Record<Stage, number>> = {};
  #stopped = new AbortController();
  #finished = new AbortController();
  #watching: Promise<void>;
  #writing: Promise<void> = Promise.resolve();
  /** The share of the time that has passed when each stage begins. */
  #startOf = startOf;
  #wroteAt = 0;
  #wrote: Stage = "accepted";

  private constructor(
    tools: Tools,
    job: Job,
    claimed: { attempt: number; modelId: string; deadline: Date },
    outer: AbortSignal,
  ) {
    this.#tools = tools;
    this.#job = job;
    this.number = claimed.attempt;
    this.modelId = claimed.modelId;
    this.deadline = claimed.deadline;
    this.signal = AbortSignal.any([outer, this.#stopped.signal]);
    this.#watching = this.#watch();
  }

  /** Undefined: the event has ended. The attempt also stops when `outer` aborts. */
  static async begin(tools: Tools, job: Job, outer: AbortSignal): Promise<Attempt | undefined> {
    const claimed = await claimEvent(tools.store.db, job.chatbotId, job.eventId);
    return claimed && new Attempt(tools, job, claimed, outer);
  }

  get stage(): Stage {
    return this.#stage;
  }

  /** Seconds spent in each stage so far. */
  get stageSeconds(): Partial<Record<Stage, number>> {
    this.#clock(this.#stage);
    return this.#seconds;
  }

  /** Of this attempt, learning is the longest stage. */
  expectLearning(): void {
    this.#startOf = startOfLearning;
  }

  /** Tells that a stage has begun, or how far it is, and which blobs the model will refer to. Throws NotOurs. */
  async enter(stage: Stage, fraction = 0, digests: Digests = {}): Promise<void> {
    this.#clock(stage);
    await this.#writing;
    this.signal.throwIfAborted();
    await this.#write(stage, fraction, digests);
  }

  /** The same without waiting for it, for progress that comes often; it leaves out what it can't write in time. */
  report(stage: Stage, fraction: number, learning?: Learning): void {
    this.#clock(stage);
    if (stage === this.#wrote && performance.now() - this.#wroteAt < PROGRESS_EVERY_MS) return;
    this.#wrote = stage;
    this.#wroteAt = performance.now();
    this.#writing = this.#writing
      .then(() => this.#write(stage, fraction, { learning }))
      .catch((error) => this.#stopped.abort(error));
  }

  async close(): Promise<void> {
    this.#finished.abort();
    await Promise.all([this.#watching, this.#writing]);
  }

  #clock(next: Stage): void {
    const now = performance.now();
    this.#seconds[this.#stage] = (this.#seconds[this.#stage] ?? 0) + (now - this.#stageSince) / 1000;
    this.#stage = next;
    this.#stageSince = now;
  }

  async #write(stage: Stage, fraction: number, more: Omit<Advance, "stage" | "progress">): Promise<void> {
    const following = stages[stages.indexOf(stage) + 1];
    const begin = this.#startOf[stage];
    const progress = begin + fraction * ((following ? this.#startOf[following] : 1) - begin);
    const { chatbotId, eventId } = this.#job;
    const { db } = this.#tools.store;
    if (!(await advanceEvent(db, chatbotId, eventId, this.number, { stage, progress, ...more })))
      throw new NotOurs("The training has ended, or another worker has it.");
  }

  /** A cancellation, here or on another machine, stops the work at once and not at its next sign of progress. */
  async #watch(): Promise<void> {
    const { store, changes, log } = this.#tools;
    const { chatbotId, eventId } = this.#job;
    const following = changes.follow(eventId);
    try {
      for (;;) {
        await following.changed(this.#finished.signal);
        // Not to see a cancellation costs time, not truth: every write looks for itself, and the next look may succeed.
        const event = await findEvent(store.db, chatbotId, eventId).catch((error: unknown) => {
          log.warn({ eventId, err: error }, "can't look at the training's event");
          return "unknown" as const;
        });
        if (event === "unknown") continue;
        if (!event || event.endedAt || event.attempt !== this.number)
          this.#stopped.abort(new NotOurs("The training has ended, or another worker has it."));
      }
    } catch (error) {
      if (!this.#finished.signal.aborted) log.warn({ eventId, err: error }, "can't follow the training's event");
    } finally {
      following.close();
    }
  }
}
