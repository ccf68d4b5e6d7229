import assert from "node:assert/strict";
import { type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import { type ChatbotId, inTransaction, newId, type Store } from "../store/index.ts";
import { type GivenUp, type Job, type Jobs, openJobs, Retryable, type RunningJob } from "./index.ts";

const log = { error: (message: string) => console.error(message), warn: (message: string) => console.error(message) };

function newJob(): Job {
  const deadline = new Date(Date.now() + 60_000);
  return { queue: "training", id: newId(), chatbotId: newId() as ChatbotId, eventId: newId(), deadline };
}

function enqueue(store: Store, jobs: Jobs, job: Job): Promise<void> {
  return inTransaction(store.db, (trx) => jobs.enqueue(trx, job));
}

/** Settles when the work it stands for says so. */
function signalOf<T>() {
  return Promise.withResolvers<T>();
}

const unexpected = async (_job: Job, why: GivenUp) => assert.fail(JSON.stringify(why));

describeOnEachBackend("jobs", (databases) => {
  async function open(t: TestContext, store: Store, alone = false): Promise<Jobs> {
    const jobs = await openJobs(store, { log, alone });
    t.after(() => jobs.stop({ graceMs: 0 }));
    return jobs;
  }

  test("a job runs when its transaction commits, and never when it rolls back", async (t) => {
    const store = await databases.newStore();
    const jobs = await open(t, store);
    const ran: string[] = [];
    const second = signalOf<void>();
    const onJob = async (job: RunningJob) => {
      ran.push(job.id);
      if (job.id === kept.id) second.resolve();
    };
    await jobs.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    const dropped = newJob();
    const kept = newJob();
    const rollback = inTransaction(store.db, async (trx) => {
      await jobs.enqueue(trx, dropped);
      throw new Error("rolled back");
    });
    await assert.rejects(rollback, /rolled back/);
    await enqueue(store, jobs, kept);
    await second.promise;
    assert.deepEqual(ran, [kept.id]);
  });

  test("a waiting worker is woken by the commit", async (t) => {
    const store = await databases.newStore();
    const jobs = await open(t, store);
    const started = new Map<string, (at: number) => void>();
    const onJob = async (job: RunningJob) => started.get(job.id)?.(performance.now());
    await jobs.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    const waitsMs: number[] = [];
    for (let i = 0; i < 20; i++) {
      const job = newJob();
      const { promise, resolve } = signalOf<number>();
      started.set(job.id, resolve);
      const enqueuedAt = performance.now();
      await enqueue(store, jobs, job);
      waitsMs.push((await promise) - enqueuedAt);
    }
    waitsMs.sort((a, b) => a - b);
    t.diagnostic(`enqueue to start: median ${waitsMs[10]!.toFixed(1)} ms, worst ${waitsMs[19]!.toFixed(1)} ms`);
  });

  test("a backlog is worked off without a pause between two jobs", async (t) => {
    const store = await databases.newStore();
    const jobs = await open(t, store);
    const backlog = Array.from({ length: 8 }, newJob);
    for (const job of backlog) await enqueue(store, jobs, job);
    const done = signalOf<void>();
    let ran = 0;
    const onJob = async () => {
      if (++ran === backlog.length) done.resolve();
    };
    const startedAt = performance.now();
    await jobs.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    await done.promise;
    const seconds = (performance.now() - startedAt) / 1000;
    assert(seconds < backlog.length, `it took ${seconds} s: a worker that polls takes two for each job`);
  });

  test("what can heal is tried again, and given up in the end; any other error ends the job", async (t) => {
    const store = await databases.newStore();
    const jobs = await open(t, store);
    const healing = newJob();
    const broken = newJob();
    const healed = signalOf<number>();
    const gaveUp = signalOf<{ job: Job; why: GivenUp }>();
    const onJob = async ({ id, retries }: RunningJob) => {
      if (id === broken.id) throw new TypeError("a bug");
      if (retries < 1) throw new Retryable("the disk was full");
      healed.resolve(retries);
    };
    const onGivenUp = async (job: Job, why: GivenUp) => gaveUp.resolve({ job, why });
    await jobs.work("training", { concurrency: 2, onJob, onGivenUp });
    await enqueue(store, jobs, healing);
    await enqueue(store, jobs, broken);
    assert.equal(await healed.promise, 1);
    const { job, why } = await gaveUp.promise;
    assert.deepEqual(job, broken);
    assert.ok(why.reason === "error" && why.error instanceof TypeError);
  });

  test("a job whose retries are used up is given up", async (t) => {
    const store = await databases.newStore();
    const jobs = await open(t, store);
    const job = newJob();
    const gaveUp = signalOf<{ job: Job; why: GivenUp }>();
    const onJob = async () => {
      throw new Retryable("never heals");
    };
    await enqueue(store, jobs, job);
    await store.pool.query("update pgboss.job set retry_limit = 1 where id = $1", [job.id]);
    const onGivenUp = async (given: Job, why: GivenUp) => gaveUp.resolve({ job: given, why });
    await jobs.work("training", { concurrency: 1, onJob, onGivenUp });
    assert.deepEqual(await gaveUp.promise, { job, why: { reason: "retries" } });
  });

  test("stop hands back what does not finish, and another worker runs it", async (t) => {
    const store = await databases.newStore();
    const first = await openJobs(store, { log });
    const job = newJob();
    const begun = signalOf<AbortSignal>();
    const onJob = (_job: RunningJob, signal: AbortSignal) => {
      begun.resolve(signal);
      return new Promise<void>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    await first.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    await enqueue(store, first, job);
    const signal = await begun.promise;
    await first.stop({ graceMs: 0 });
    assert.ok(signal.aborted);
    const second = await open(t, store);
    const taken = signalOf<RunningJob>();
    await second.work("training", { concurrency: 1, onJob: async (job) => taken.resolve(job), onGivenUp: unexpected });
    assert.deepEqual(await taken.promise, { ...job, retries: 1 });
  });

  /** What the database sees when a worker has been silent for longer than its lease. */
  const expireLease = (store: Store, job: Job) =>
    store.pool.query("update pgboss.job set heartbeat_on = now() - interval '1 minute' where id = $1", [job.id]);

  test("a stale worker's job goes to another, and the stale one is told and can't end it", async (t) => {
    const store = await databases.newStore();
    const stale = await open(t, store);
    const job = newJob();
    const begun = signalOf<AbortSignal>();
    const resume = signalOf<void>();
    t.after(() => resume.resolve());
    const onStaleJob = (_job: RunningJob, signal: AbortSignal) => {
      if (_job.retries === 0) begun.resolve(signal);
      return resume.promise;
    };
    await stale.work("training", { concurrency: 1, onJob: onStaleJob, onGivenUp: unexpected });
    await enqueue(store, stale, job);
    const signal = await begun.promise;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve));
    await expireLease(store, job);
    const fresh = await open(t, store);
    const taken = signalOf<RunningJob>();
    const finish = signalOf<void>();
    const onJob = (job: RunningJob) => {
      taken.resolve(job);
      return finish.promise;
    };
    await fresh.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    assert.equal((await taken.promise).retries, 1);
    await aborted;
    resume.resolve();
    const state = async () =>
      (await store.pool.query("select state, retry_count from pgboss.job where id = $1", [job.id])).rows;
    assert.deepEqual(await state(), [{ state: "active", retry_count: 1 }]);
    finish.resolve();
    await fresh.stop({ graceMs: 10_000 });
    assert.deepEqual(await state(), [{ state: "completed", retry_count: 1 }]);
  });

  test("after kill -9 of a worker, a server that is alone takes its job at once, and others when the lease ends", async (t) => {
    const store = await databases.newStore();
    const program = `
      const { openStore } = await import(${JSON.stringify(new URL("../store/index.ts", import.meta.url).href)});
      const { openJobs } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
      const log = { error: console.error, warn: console.error };
      const store = openStore(process.env.URL, { maxConnections: 2, onError: console.error });
      const jobs = await openJobs(store, { log });
      const onJob = (job) => { console.log("running", job.id); return new Promise(() => {}); };
      await jobs.work("training", { concurrency: 1, onJob, onGivenUp: async () => {} });`;
    async function killedWhileRunning(job: Job) {
      const env = { ...process.env, URL: store.pool.options.connectionString };
      const stdio: StdioOptions = ["ignore", "pipe", "inherit"];
      const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env, stdio });
      const [line] = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
      assert.equal(String(line).trim(), `running ${job.id}`);
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const first = newJob();
    const queue = await open(t, store);
    await enqueue(store, queue, first);
    await killedWhileRunning(first);
    const alone = await open(t, store, true);
    const waiting = "select state, start_after <= now() as due from pgboss.job where id = $1";
    assert.deepEqual((await store.pool.query(waiting, [first.id])).rows, [{ state: "retry", due: true }]);
    const taken = signalOf<RunningJob>();
    const onJob = async (job: RunningJob) => taken.resolve(job);
    await alone.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    assert.deepEqual(await taken.promise, { ...first, retries: 1 });
    await alone.stop({ graceMs: 1_000 });

    const second = newJob();
    await enqueue(store, queue, second);
    await killedWhileRunning(second);
    await expireLease(store, second);
    const takenToo = signalOf<RunningJob>();
    await queue.work("training", {
      concurrency: 1,
      onJob: async (job) => takenToo.resolve(job),
      onGivenUp: unexpected,
    });
    assert.deepEqual(await takenToo.promise, { ...second, retries: 1 });
  });

  test("stop lets a job finish within its grace", async () => {
    const store = await databases.newStore();
    const jobs = await openJobs(store, { log });
    const begun = signalOf<void>();
    const finish = signalOf<void>();
    let aborted = false;
    const onJob = async (_job: RunningJob, signal: AbortSignal) => {
      begun.resolve();
      await finish.promise;
      aborted = signal.aborted;
    };
    await jobs.work("training", { concurrency: 1, onJob, onGivenUp: unexpected });
    const job = newJob();
    await enqueue(store, jobs, job);
    await begun.promise;
    const stopped = jobs.stop({ graceMs: 30_000 });
    finish.resolve();
    await stopped;
    assert.equal(aborted, false);
    const { rows } = await store.pool.query("select state from pgboss.job where id = $1", [job.id]);
    assert.deepEqual(rows, [{ state: "completed" }]);
  });
});
