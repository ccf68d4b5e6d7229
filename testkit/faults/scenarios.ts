import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../random.ts";
import { holdAt } from "./database-holds.ts";
import { eventually } from "./eventually.ts";
import { endOf, Ledger, type Train } from "./ledger.ts";
import { Product, type ProductOptions } from "./product.ts";
import { freeze, kill9 } from "./signals.ts";
import { handbook } from "./texts.ts";

/** Plays one fault against a product of its own; resolves with what was lost by it, a sentence each. */
export type Scenario = (options?: ProductOptions) => Promise<string[]>;

const LIMIT_MS = 90_000;
/** How long a worker that comes back may take to notice that its training is another's. */
const NOTICE_MS = 5_000;
/** How late the end of a job whose time is over may be told: the server looks every five seconds. */
const EXPIRY_MS = 8_000;

const train = (characters: number): Train => ({
  title: "the training",
  text: handbook(seededRandom(1), characters, "C-1"),
  idempotencyKey: "the-key",
});

/** A worker is away for so long that another takes its training over; when it is back, it may change nothing. */
export const awayTooLong: Scenario = (options) =>
  withProduct({ ...options, separateWorker: true }, async (product, ledger) => {
    const first = product.worker!;
    const training = train(3_000_000);
    const { event_id } = (await ledger.train(training))!;
    const event = async () =>
      (
        await product.query<{ attempt: number; stage: string; state: string; revision: number }>(
          "select attempt, stage, state, revision from event where id = $1",
          [event_id],
        )
      )[0]!;
    const isIndexing = (attempt: number) => async () => {
      const now = await event();
      return now.attempt === attempt && now.stage === "index";
    };
    await eventually("the first worker makes the index", LIMIT_MS, isIndexing(1));
    const [firstChild] = await product.children("training");
    const thawChild = freeze(firstChild!);
    const thawFirst = freeze(first.pid!);
    try {
      await product.startWorker();
      await eventually("the second worker makes it", LIMIT_MS, isIndexing(2));
      const thawSecondChild = freeze((await product.children("training"))[0]!);
      await delay(500); // What the frozen child had reported is written.
      const before = await event();
      thawChild();
      await delay(500); // Its report waits for the worker when that comes back.
      thawFirst();
      await delay(NOTICE_MS);
      const after = await event();
      thawSecondChild();
      const changed = before.revision !== after.revision || before.state !== after.state;
      return changed ? [`A worker that had lost its training changed it: ${JSON.stringify({ before, after })}`] : [];
    } finally {
      thawFirst();
      await kill9(first);
    }
  });

/** The server dies at the moment at which a training's rows have been committed. */
export const deadAtCommit: Scenario = (options) =>
  withProduct(options, async (product, ledger) => {
    const hold = await holdAt(product, "commit acceptance");
    const answered = ledger.train(train(20_000));
    const { release } = await hold.reached();
    const thaw = freeze(product.server.process.pid!);
    await release();
    await eventually(
      "the rows are committed",
      LIMIT_MS,
      async () => (await product.query("select 1 from model")).length,
    );
    const killed = kill9(product.server.process);
    thaw();
    await killed;
    await answered;
    await product.restartServer();
    return ledger.check();
  });

/** The last worker dies, and nobody is left to take its training before its time is over. */
export const nobodyLeft: Scenario = (options) =>
  withProduct({ ...options, separateWorker: true }, async (product, ledger) => {
    const hold = await holdAt(product, "enter probe");
    const { id, event_id } = (await ledger.train(train(20_000)))!;
    const { release } = await hold.reached();
    const killed = kill9(product.worker!);
    await release();
    await killed;
    await product.query("update event set deadline = now() + interval '1 second' where id = $1", [event_id]);
    await delay(1_000 + EXPIRY_MS);
    const [model] = await product.query<{ state: string }>("select state from model where id = $1", [id]);
    const ended = model!.state === "failed" ? [] : [`Past its deadline the model is ${model!.state}.`];
    return [...ended, ...(await ledger.check())];
  });

/** An index comes out without one of its passages, and the server dies once the model is ready. */
export const incompleteIndex: Scenario = (options) =>
  withProduct(options, async (product, ledger) => {
    const hold = await holdAt(product, "enter store");
    const { id } = (await ledger.train(train(20_000)))!;
    const { release } = await hold.reached();
    await removePassage(join(product.home, "work"));
    await release();
    await endOf(product, id);
    await kill9(product.server.process);
    await product.restartServer();
    return ledger.check();
  });

async function removePassage(workFolder: string): Promise<void> {
  const [path] = (await readdir(workFolder, { recursive: true })).filter((name) => name.endsWith("index.sqlite"));
  const database = new DatabaseSync(join(workFolder, path!));
  database.exec("delete from passages where ordinal = (select max(ordinal) from passages)");
  database.close();
}

async function withProduct(
  options: ProductOptions = {},
  play: (product: Product, ledger: Ledger) => Promise<string[]>,
): Promise<string[]> {
  const product = await Product.start(options);
  try {
    return await play(product, new Ledger(product));
  } finally {
    await product.remove();
  }
}
