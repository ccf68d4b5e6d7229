import { randomUUID } from "node:crypto";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { holdInCode } from "./code-hold.ts";
import { holdAt, holdKeys, type Place } from "./database-holds.ts";
import { eventually } from "./eventually.ts";
import type { Ledger, Train } from "./ledger.ts";
import type { Product } from "./product.ts";
import { freeze } from "./signals.ts";
import { chosen, handbook } from "./texts.ts";
import type { Victim } from "./victims.ts";

export const trainingStages = ["accepted", "text", "passages", "index", "learn", "store", "probe", "commit"] as const;
export const talkingStages = ["key", "search", "read", "save", "reply"] as const;
export type TrainingStage = (typeof trainingStages)[number];
export type TalkingStage = (typeof talkingStages)[number];
export type Stage = TrainingStage | TalkingStage;

/** A product that stands still in a stage. */
export type Standing = {
  /** How it was seen that it is in that stage. */
  seen: string;
  /** The database's process that holds it up, where one does. */
  backend?: number;
  /** Lets everything that was held or frozen go on, whether it lives or not. */
  release(): Promise<void>;
  /** Resolves when the request that is under way has got its reply or lost its connection. */
  answered: Promise<unknown>;
  /** The training that is under way. */
  train?: Train;
};

type Scene = { product: Product; ledger: Ledger; random: () => number };

/** Long enough for each stage of its training to be seen from outside. */
const LONG_TEXT_CHARACTERS = 1_000_000;
const SHORT_TEXT_CHARACTERS = 20_000;
/** So long that a checkpoint is written before the learning ends, and that it ends within seconds. */
const LEARNED_TEXT_CHARACTERS = 12_000;
const STAGE_LIMIT_MS = 60_000;
/** How long a child runs between two looks, and how long its last report may take to reach its row, ms. */
const STEP_MS = 8;
const SETTLED_MS = 40;

const source = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const SEARCHING = { file: source("packages/passages/open.ts"), text: "of this.#match.iterate(match)" };
const READING = { file: source("packages/reading/read.ts"), text: "const chosen = [" };
const REPLYING = { file: source("apps/caigun/src/commands/keep-reply.ts"), text: "if (emit) for" };

/** Brings the product into the stage. Throws where it was not seen to be in it. `victim`: has to be there by then. */
export function enter(stage: Stage, scene: Scene, victim: Victim): Promise<Standing> {
  switch (stage) {
    case "accepted":
      // Before it is accepted, neither worker nor child has to do with it.
      if (victim === "worker" || victim === "child") return afterAcceptance(scene);
      return chosen(scene.random, [duringAcceptance, afterAcceptance, afterUnheardAcceptance])(scene);
    case "text":
    case "passages":
    case "index":
      return whileChildWorks(scene, stage);
    case "learn": {
      const moment = chosen(scene.random, ["beginning", "learning", "checkpoint", "adapter"]);
      // When the adapter is about to be stored, the child that learned it has ended.
      if (moment === "adapter" && victim !== "child") return trainingAt(scene, stage, "name adapter", newLearning);
      return whileLearning(scene, moment);
    }
    case "store":
      return trainingAt(scene, stage, chosen(scene.random, ["name artifact", "enter probe"]), anyTrain(scene));
    case "probe":
      return chosen(scene.random, [true, false])
        ? whileChildWorks(scene, stage)
        : trainingAt(scene, stage, "enter commit", anyTrain(scene));
    case "commit":
      return chosen(scene.random, [true, false])
        ? trainingAt(scene, stage, "end", anyTrain(scene))
        : afterUnheardEnd(scene);
    case "key":
      return whileKeyIsLookedUp(scene);
    case "search":
      return whileAnswering(scene, SEARCHING);
    case "read":
      return whileAnswering(scene, READING);
    case "save":
      return chosen(scene.random, [true, false]) ? whileSaving(scene) : afterUnheardSave(scene);
    case "reply":
      return whileReplying(scene);
  }
}

function newTrain(random: () => number, characters = SHORT_TEXT_CHARACTERS): Train {
  const name = Math.floor(random() * 1e9).toString(36);
  return { title: `text ${name}`, text: handbook(random, characters, `C-${name}`), idempotencyKey: randomUUID() };
}

/** A text that a language model learns: its adapter is stored before its index. */
function newLearning(random: () => number): Train {
  return { ...newTrain(random, LEARNED_TEXT_CHARACTERS), modelName: "gpt2" };
}

/** How a training is made: every third one is learned from. */
const anyTrain = ({ random }: Scene) => chosen(random, [newTrain, newTrain, newLearning]);

/** Its rows are inserted, and their transaction is about to commit. */
async function duringAcceptance({ product, ledger, random }: Scene): Promise<Standing> {
  const train = newTrain(random);
  const hold = await holdAt(product, "commit acceptance");
  const answered = ledger.train(train);
  const { backend, release } = await hold.reached();
  return { seen: "its transaction waits to commit", backend, release, answered, train };
}

/** Its 200 was received, and its worker is about to say that it has begun. */
async function afterAcceptance({ product, ledger, random }: Scene): Promise<Standing> {
  const train = newTrain(random);
  const hold = await holdAt(product, "enter accepted");
  const answered = ledger.train(train);
  if (!(await answered)) throw new Error("A training that nothing disturbs was not accepted.");
  const { backend, release } = await hold.reached();
  await rowIsIn(product, train, "accepted");
  return { seen: "200 received, claimed, its row says accepted", backend, release, answered, train };
}

/** Its rows are committed, and the server, which is frozen, has not heard of it. */
async function afterUnheardAcceptance(scene: Scene): Promise<Standing> {
  const { product } = scene;
  const standing = await duringAcceptance(scene);
  const thaw = freeze(product.server.process.pid!);
  await standing.release();
  await eventually("the training is committed", STAGE_LIMIT_MS, async () => {
    const rows = await product.query("select 1 from model where title = $1", [standing.train!.title]);
    return rows.length > 0;
  });
  return { ...omitBackend(standing), seen: "committed, and the server has not heard", release: async () => thaw() };
}

/**
 * The child that trains is frozen while the training's row says that stage. It is brought there in steps, because a
 * stage can be shorter than the time in which it is seen.
 */
async function whileChildWorks({ product, ledger, random }: Scene, stage: TrainingStage): Promise<Standing> {
  const train = newTrain(random, LONG_TEXT_CHARACTERS);
  const answered = ledger.train(train);
  const accepted = await answered;
  if (!accepted) throw new Error("A training that nothing disturbs was not accepted.");
  const before: string | undefined = trainingStages[trainingStages.indexOf(stage) - 1];
  return product.withDatabase(async (client) => {
    const rowOf = async () => {
      const text = "select stage, attempt from event where id = $1";
      return (await client.query<{ stage: string; attempt: number }>(text, [accepted.event_id])).rows[0]!;
    };
    const child = await eventually("a child trains", STAGE_LIMIT_MS, async () =>
      (await rowOf()).attempt > 0 ? (await product.children("training"))[0] : undefined,
    );
    await eventually(`stage ${stage} is next`, STAGE_LIMIT_MS, async () =>
      [before, stage].includes((await rowOf()).stage),
    );
    for (;;) {
      const thaw = freeze(child);
      // By then what the child had reported is in the row, and stays there.
      await delay(SETTLED_MS);
      const now = (await rowOf()).stage;
      if (now === stage)
        return { seen: `child frozen, row says ${stage}`, release: async () => thaw(), answered, train };
      thaw();
      if (now !== before) throw new Error(`The training went past stage ${stage} in one step.`);
      await delay(STEP_MS);
    }
  });
}

/** The child that learns is frozen: as soon as it is there, when it has told of a step, or when it has kept what it learned. */
async function whileLearning({ product, ledger, random }: Scene, moment: string): Promise<Standing> {
  const train = newLearning(random);
  const answered = ledger.train(train);
  const accepted = await answered;
  if (!accepted) throw new Error("A training that nothing disturbs was not accepted.");
  const child = await eventually("a child learns", STAGE_LIMIT_MS, async () => (await product.children("learning"))[0]);
  const hasKept = () =>
    access(join(product.home, "learning", accepted.event_id)).then(
      () => true,
      () => false,
    );
  const step = async () => {
    const text = "select learning->>'step' as step from event where id = $1";
    return (await product.query<{ step: string | null }>(text, [accepted.event_id]))[0]?.step;
  };
  if (moment === "learning") await eventually("a step is told of", STAGE_LIMIT_MS, async () => (await step()) ?? false);
  if (moment === "checkpoint") await eventually("what was learned is kept", STAGE_LIMIT_MS, hasKept);
  const thaw = freeze(child);
  try {
    // By then what the child had reported is in the row, and stays there.
    await delay(SETTLED_MS);
    const row = await rowIsIn(product, train, "learn");
    const seen = `child frozen, ${row}, step ${await step()}, ${(await hasKept()) ? "a" : "no"} checkpoint`;
    return { seen, release: async () => thaw(), answered, train };
  } catch (error) {
    thaw();
    throw error;
  }
}

/** The training's own statement waits at that place, and its row says that stage. */
async function trainingAt(
  { product, ledger, random }: Scene,
  stage: Stage,
  place: Place,
  trainOf: (random: () => number) => Train,
): Promise<Standing> {
  const train = trainOf(random);
  const hold = await holdAt(product, place);
  const answered = ledger.train(train);
  const { backend, release } = await hold.reached();
  const seen = `${train.modelName ?? "text"} waits at "${place}", ${await rowIsIn(product, train, stage)}`;
  return { seen, backend, release, answered, train };
}

/** The training has ended, and its worker, which is frozen, has not heard of it. */
async function afterUnheardEnd(scene: Scene): Promise<Standing> {
  const { product } = scene;
  const standing = await trainingAt(scene, "commit", "end", anyTrain(scene));
  const thaw = freeze((product.worker ?? product.server.process).pid!);
  await standing.release();
  await eventually("the model is ready", STAGE_LIMIT_MS, async () => {
    const rows = await product.query("select 1 from model where title = $1 and state = 'ready'", [
      standing.train!.title,
    ]);
    return rows.length > 0;
  });
  return { ...omitBackend(standing), seen: "ready, and its worker has not heard", release: async () => thaw() };
}

async function whileKeyIsLookedUp({ product, ledger, random }: Scene): Promise<Standing> {
  const hold = await holdKeys(product);
  const answered = ask(ledger, random);
  const { backend, release } = await hold.reached();
  return { seen: "the look-up of the key waits", backend, release, answered };
}

async function whileAnswering({ product, ledger, random }: Scene, line: typeof SEARCHING): Promise<Standing> {
  const [child] = await product.children("answering");
  if (!child) throw new Error("No child answers.");
  const hold = await holdInCode(child, line);
  const answered = ask(ledger, random);
  await hold.reached();
  return { seen: `child stands at "${line.text}"`, release: hold.release, answered };
}

async function whileSaving({ product, ledger, random }: Scene): Promise<Standing> {
  const hold = await holdAt(product, chosen(random, ["save exchange", "commit exchange"]));
  const answered = ask(ledger, random);
  const { backend, release } = await hold.reached();
  return { seen: "the exchange's statement waits", backend, release, answered };
}

/** The exchange is stored, and the server, which is frozen, has not heard of it. */
async function afterUnheardSave(scene: Scene): Promise<Standing> {
  const { product } = scene;
  const before = await countMessages(product);
  const standing = await whileSaving(scene);
  const thaw = freeze(product.server.process.pid!);
  await standing.release();
  await eventually("the exchange is stored", STAGE_LIMIT_MS, async () => (await countMessages(product)) > before);
  return { ...omitBackend(standing), seen: "stored, and the server has not heard", release: async () => thaw() };
}

/** The exchange is stored, the server knows, and has not yet written a byte of the reply. */
async function whileReplying({ product, ledger, random }: Scene): Promise<Standing> {
  const before = await countMessages(product);
  const hold = await holdInCode(product.server.process.pid!, REPLYING);
  const answered = ask(ledger, random);
  await hold.reached();
  if ((await countMessages(product)) <= before)
    throw new Error("The server replies before it has stored the exchange.");
  return { seen: "stored, server stands before the reply", release: hold.release, answered };
}

const countMessages = async (product: Product) =>
  (await product.query<{ count: number }>("select count(*)::int as count from message"))[0]!.count;

function ask(ledger: Ledger, random: () => number) {
  const uid = `person ${Math.floor(random() * 5)}`;
  return ledger.talk(uid, `What is the secret code of the cellar? (${Math.floor(random() * 1e9)})`);
}

async function rowIsIn(product: Product, { title }: Train, stage: string): Promise<string> {
  const [row] = await product.query<{ stage: string }>(
    "select stage from event join model on model.id = event.model_id where model.title = $1",
    [title],
  );
  if (row?.stage !== stage) throw new Error(`The training's row says ${row?.stage} and not ${stage}.`);
  return `row says ${stage}`;
}

function omitBackend({ backend: _, ...standing }: Standing): Standing {
  return standing;
}
