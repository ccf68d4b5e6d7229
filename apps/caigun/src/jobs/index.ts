import { setTimeout as delay } from "node:timers/promises";
import type { ChatbotId, Db, Store } from "../store/index.ts";
import { newBoss, POLL_SECONDS, SCHEMA, within } from "./boss.ts";

/** What takes seconds, and what takes minutes: one does not wait for the other. */
export const queues = ["training", "learning"] as const;
export type QueueName = (typeof queues)[number];
export type Job = { queue: QueueName; id: string; chatbotId: ChatbotId; eventId: string; deadline: Date };
export type RunningJob = Job & {
  /** 0 for the first attempt, counting those whose worker died. */
  retries: number;
};

/** Thrown by onJob for what can heal: the job is tried again, later each time. Anything else ends it. */
export class Retryable extends Error {
  override name = "Retryable";
}

/** Why a job was given up: it kept failing in ways that could heal, or its workers kept dying; or one error ended it. */
export type GivenUp = { reason: "retries" } | { reason: "error"; error: Error };

export type WorkOptions = {
  /** How many jobs run at once in this process. */
  concurrency: number;
  /**
   * Runs a job; resolving ends it. The signal aborts when the job is no longer this worker's: another one has it, its
   * time is over, or this process stops. A job may run more than once, so what it writes must be fenced.
   */
  onJob(job: RunningJob, signal: AbortSignal): Promise<void>;
  /** Told of a job that will not be tried again, at least once; it is where the event gets its end. */
  onGivenUp(job: Job, why: GivenUp): Promise<void>;
};

export type Jobs = {
  /** Puts a job into the queue in the caller's transaction: it is there if and when that commits. */
  enqueue(trx: Db, job: Job): Promise<void>;
  work(queue: QueueName, options: WorkOptions): Promise<void>;
  /** Takes no new jobs, lets those that run finish for graceMs, then hands the rest back to the queue. */
  stop(options: { graceMs: number }): Promise<void>;
};

export type JobsOptions = {
  log: Log;
  /**
   * True where no other process can hold a job of this database: those that look held belonged to a server that was
   * killed, and are given back at once instead of when their lease ends.
   */
  alone?: boolean;
};
type Log = { error(message: string): void; warn(message: string): void };

const LEASE_SECONDS = 15;
const HEARTBEAT_SECONDS = 4;
const RETRIES = 5;
const LONGEST_RETRY_DELAY_SECONDS = 30;
const ENDED_ROWS_KEPT_SECONDS = 3600;
const LONGEST_RUN_SECONDS = 86_399;
const SHORTEST_GRACE_MS = 1_000;
/** How long jobs that were told to stop may take to do so before the process goes on without them. */
const ABORT_MS = 2_000;

type RunnableJob = { data: JobData; retryCount: number; signal: AbortSignal };
type JobData = { id: string; chatbotId: string; eventId: string; deadline: string };

/** The queue that pg-boss moves a job to when its retries are used up. */
const givenUp = (queue: QueueName) => `${queue}-given-up`;

/** Opens the queues, making or upgrading pg-boss's tables under its own advisory lock. */
export async function openJobs(store: Store, { log, alone = false }: JobsOptions): Promise<Jobs> {
  const boss = newBoss(store);
  boss.on("error", (error) => log.error(`queue: ${error.message}`));
  boss.on("warning", (warning) => log.warn(`queue: ${warning.message}`));
  await boss.start();
  for (const queue of queues) {
    const leased = { heartbeatSeconds: LEASE_SECONDS, notify: true, deleteAfterSeconds: ENDED_ROWS_KEPT_SECONDS };
    const retried = { retryLimit: RETRIES, retryDelay: 1, retryBackoff: true };
    const capped = { ...leased, ...retried, retryDelayMax: LONGEST_RETRY_DELAY_SECONDS };
    await boss.createQueue(givenUp(queue), capped);
    await boss.createQueue(queue, { ...capped, deadLetter: givenUp(queue) });
    await boss.updateQueue(givenUp(queue), capped); // A queue that an earlier version made.
    await boss.updateQueue(queue, { ...capped, deadLetter: givenUp(queue) });
  }
  if (alone) await releaseHeld();

  async function releaseHeld(): Promise<void> {
    const held = `select name, id from ${SCHEMA}.job where state = 'active'`;
    for (const { name, id } of (await store.pool.query<{ name: string; id: string }>(held)).rows) {
      await boss.fail(name, id, { message: "its worker died" });
      // It did not fail by itself, so it need not wait before it is tried again.
      await store.pool.query(`update ${SCHEMA}.job set start_after = now() where id = $1 and state = 'retry'`, [id]);
    }
  }

  const running = new Set<Promise<void>>();

  return {
    async enqueue(trx, { queue, id, chatbotId, eventId, deadline }) {
      const seconds = Math.ceil((deadline.getTime() - Date.now()) / 1000);
      const expireInSeconds = Math.min(Math.max(seconds, 1), LONGEST_RUN_SECONDS);
      const data: JobData = { id, chatbotId, eventId, deadline: deadline.toISOString() };
      await boss.send(queue, data, { id, expireInSeconds, db: within(trx) });
    },

    async work(queue, { concurrency, onJob, onGivenUp }) {
      const polling = { pollingIntervalSeconds: POLL_SECONDS, notifyPollingIntervalSeconds: POLL_SECONDS };
      const options = { ...polling, heartbeatRefreshSeconds: HEARTBEAT_SECONDS };
      const run = async (job: RunnableJob) => {
        const mine: Job = toJob(queue, job.data);
        const work = onJob({ ...mine, retries: job.retryCount }, job.signal).catch(async (error: Error) => {
          // Named alone: what pg-boss writes down must not hold a person's text.
          if (error instanceof Retryable || job.signal.aborted) throw new Error(`to be tried again: ${error.name}`);
          await onGivenUp(mine, { reason: "error", error });
        });
        await track(work);
      };
      const startWorker = async () => {
        let worker: string | undefined;
        worker = await boss.work<JobData>(queue, options, async ([job]) => {
          try {
            if (job) await run(job);
          } finally {
            // More may wait than one notification told of: without this a backlog goes at the pace of the polling.
            if (worker) boss.notifyWorker(worker);
          }
        });
      };
      for (let started = 0; started < concurrency; started++) await startWorker();
      await boss.work<JobData>(givenUp(queue), options, async ([job]) => {
        if (job) await track(onGivenUp(toJob(queue, job.data), { reason: "retries" }));
      });
    },

    async stop({ graceMs }) {
      await boss.stop({ graceful: true, timeout: Math.max(graceMs, SHORTEST_GRACE_MS), close: false });
      const patience = new AbortController();
      await Promise.race([
        Promise.allSettled(running),
        delay(ABORT_MS, undefined, { signal: patience.signal }).catch(() => {}),
      ]);
      patience.abort();
    },
  };

  async function track(run: Promise<void>): Promise<void> {
    running.add(run);
    try {
      await run;
    } finally {
      running.delete(run);
    }
  }
}

function toJob(queue: QueueName, { id, chatbotId, eventId, deadline }: JobData): Job {
  return { queue, id, chatbotId: chatbotId as ChatbotId, eventId, deadline: new Date(deadline) };
}
