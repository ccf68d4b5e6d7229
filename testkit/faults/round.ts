import { setTimeout as delay } from "node:timers/promises";
import { kill } from "./kill.ts";
import { Ledger, type Train } from "./ledger.ts";
import { filesLeftBehind, filesOfStopped, orphansOf, processesOfHome } from "./leftovers.ts";
import { isRunning, Product, type ProductOptions } from "./product.ts";
import { enter, type Stage, type Standing, type TrainingStage, trainingStages } from "./stages.ts";
import { handbook } from "./texts.ts";
import type { Victim } from "./victims.ts";

export type PlannedKill = { stage: Stage; victim: Victim };
export type Kill = PlannedKill & { pid: number; seen: string; recoveredMs: number; findings: string[] };

/** A stage that could not be confirmed is entered again, this often at most. */
const TRIES = 4;
/** From a kill to the end of the training that it hit: a lease's end, and several tries. */
const TRAINING_END_LIMIT_MS = 180_000;
const LARGE_TEXT_CHARACTERS = 1_000_000;

/**
 * Kills again and again, on one home. After each kill what died is started again, and all that was ever acknowledged is
 * looked for. `onKill` is told of each; what is found at the very end comes back.
 */
export async function runRound(
  options: ProductOptions,
  plan: readonly PlannedKill[],
  random: () => number,
  onKill: (kill: Kill) => void,
): Promise<string[]> {
  const product = await Product.start(options);
  try {
    const ledger = new Ledger(product);
    const first: Train = { title: "first", text: handbook(random, 5_000, "C-first"), idempotencyKey: "first" };
    await ledger.train(first);
    await untilEnded(product, first);
    for (const planned of plan) onKill(await killOnce(product, ledger, planned, random));
    await product.stop();
    const findings = [...(await processesOfHome(product.home)), ...(await filesOfStopped(product.home))];
    await product.restartServer();
    findings.push(...(await filesLeftBehind(product)), ...(await ledger.check()));
    return findings;
  } finally {
    await product.remove();
  }
}

async function killOnce(product: Product, ledger: Ledger, planned: PlannedKill, random: () => number): Promise<Kill> {
  const { stage, victim } = planned;
  // A child that answers has to be there, wholly started, before it can be held or killed.
  if (!(await ledger.talk("warm up", "What is the secret code?"))) throw new Error("A sound product gives no reply.");
  console.error("DBG enter", planned);
  const standing = await enterSurely(planned, { product, ledger, random });
  console.error("DBG entered");
  const family = await product.family();
  const stageIsTraining = trainingStages.includes(stage as TrainingStage);
  const pid = await kill(victim, product, standing, { stageIsTraining, random });
  const killedAt = performance.now();
  const died = family.filter((facts) => facts.pid === pid || (victim === "server" && !isOfWorker(product, facts.pid)));
  console.error("DBG killed");
  await standing.release();
  console.error("DBG released");
  if (victim === "server") await product.restartServer();
  if (victim === "worker") await product.startWorker();
  await product.untilReady();
  const recoveredMs = Math.round(performance.now() - killedAt);
  console.error("DBG ready");
  await standing.answered;
  console.error("DBG answered");

  const findings: string[] = [];
  const { train } = standing;
  if (train) findings.push(...(await followUp(product, ledger, train)));
  findings.push(...(await orphansOf(died)), ...(await ledger.check()));
  if (victim === "server" && !product.hasSeparateWorker) findings.push(...(await filesLeftBehind(product)));
  // A large text costs time at each later look; and a deletion is an acknowledgement too.
  if (train?.accepted && (train.text.length > LARGE_TEXT_CHARACTERS || random() < 0.25)) await ledger.delete(train);
  return { ...planned, pid, seen: standing.seen, recoveredMs, findings };
}

/** Asks again for what got no reply, and follows the training to its end. */
async function followUp(product: Product, ledger: Ledger, train: Train): Promise<string[]> {
  if (!train.accepted) await ledger.train(train);
  if (!train.accepted) return [`"${train.title}", asked for again under its key, is not accepted.`];
  const state = await untilEnded(product, train);
  return state === "ready" ? [] : [`The training of "${train.title}", which a kill hit, ended as ${state}.`];
}

async function untilEnded(product: Product, train: Train): Promise<string> {
  const end = performance.now() + TRAINING_END_LIMIT_MS;
  for (;;) {
    const [row] = await product.query<{ state: string }>("select state from model where id = $1", [train.accepted!.id]);
    if (!row) return "gone";
    if (row.state !== "queued" && row.state !== "training") return row.state;
    if (performance.now() > end) return `${row.state} still, after ${TRAINING_END_LIMIT_MS / 1000} s`;
    await delay(50);
  }
}

async function enterSurely(
  { stage, victim }: PlannedKill,
  scene: { product: Product; ledger: Ledger; random: () => number },
): Promise<Standing> {
  for (let tries = 1; ; tries++) {
    try {
      return await enter(stage, scene, victim);
    } catch (error) {
      console.error("DBG", error);
      if (tries === TRIES) throw error;
    }
  }
}

function isOfWorker({ worker }: Product, pid: number): boolean {
  return isRunning(worker) && worker.pid === pid;
}
