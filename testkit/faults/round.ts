import { processesOf } from "../processes.ts";
import { findVictim } from "./kill.ts";
import { endOf, Ledger, type Train } from "./ledger.ts";
import { filesLeftBehind, filesOfStopped, learningLeftBehind, orphansOf, processesOfHome } from "./leftovers.ts";
import { Product, type ProductOptions, type Role } from "./product.ts";
import { enter, type Stage, type Standing, type TrainingStage, trainingStages } from "./stages.ts";
import { handbook } from "./texts.ts";
import type { Victim } from "./victims.ts";

export type PlannedKill = { stage: Stage; victim: Victim };
export type Kill = PlannedKill & { pid: number; seen: string; recoveredMs: number; findings: string[] };

export type Listeners = {
  onKill(kill: Kill): void;
  /** The product was not seen in the stage, so that nothing was killed. */
  onMissed(planned: PlannedKill, error: Error): void;
};

/** A stage that could not be confirmed is entered again, this often at most. */
const TRIES = 4;
const LARGE_TEXT_CHARACTERS = 500_000;

/**
 * Kills again and again, on one home. After each kill what died is started again, and all that was ever acknowledged is
 * looked for. The listeners are told of each; what is found at the very end comes back.
 */
export async function runRound(
  options: ProductOptions,
  plan: readonly PlannedKill[],
  random: () => number,
  { onKill, onMissed }: Listeners,
): Promise<string[]> {
  const product = await Product.start(options);
  try {
    const ledger = new Ledger(product);
    const first: Train = { title: "first", text: handbook(random, 5_000, "C-first"), idempotencyKey: "first" };
    await endOf(product, (await ledger.train(first))!.id);
    for (const planned of plan) {
      const standing = await enterSurely(planned, { product, ledger, random });
      if (standing instanceof Error) onMissed(planned, standing);
      else onKill(await killOnce(product, ledger, planned, standing, random));
    }
    await product.stop();
    const findings = [...(await processesOfHome(product.home)), ...(await filesOfStopped(product.home))];
    await product.restartServer();
    findings.push(...(await filesLeftBehind(product)), ...(await ledger.check()));
    return findings;
  } finally {
    await product.remove();
  }
}

async function killOnce(
  product: Product,
  ledger: Ledger,
  planned: PlannedKill,
  standing: Standing,
  random: () => number,
): Promise<Kill> {
  const { stage, victim } = planned;
  const pid = await findVictim(victim, product, standing, { role: roleIn(stage), random }).catch(async (error) => {
    await standing.release();
    throw error;
  });
  const dies = await processesOf(pid);
  process.kill(pid, "SIGKILL");
  const killedAt = performance.now();
  await orphansOf(dies.filter((facts) => facts.pid === pid));
  await standing.release();
  if (victim === "server") await product.restartServer();
  if (victim === "worker") await product.startWorker();
  await product.untilReady();
  const recoveredMs = Math.round(performance.now() - killedAt);
  await standing.answered;

  const findings: string[] = [];
  const { train } = standing;
  if (train) findings.push(...(await followUp(product, ledger, train)));
  findings.push(...(await orphansOf(dies)), ...(await ledger.check()));
  if (victim === "server" && !product.hasSeparateWorker) findings.push(...(await filesLeftBehind(product)));
  // A large text costs time at each later look; and a deletion is an acknowledgement too.
  if (train?.accepted && (train.text.length > LARGE_TEXT_CHARACTERS || random() < 0.25)) await ledger.delete(train);
  return { ...planned, pid, seen: standing.seen, recoveredMs, findings };
}

/** What a child does in that stage. */
function roleIn(stage: Stage): Role {
  if (stage === "learn") return "learning";
  return trainingStages.includes(stage as TrainingStage) ? "training" : "answering";
}

/** Asks again for what got no reply, and follows the training to its end. */
async function followUp(product: Product, ledger: Ledger, train: Train): Promise<string[]> {
  if (!train.accepted) await ledger.train(train);
  if (!train.accepted) return [`"${train.title}", asked for again under its key, is not accepted.`];
  const state = await endOf(product, train.accepted.id);
  const left = await learningLeftBehind(product, train.accepted.event_id);
  return state === "ready" ? left : [...left, `The training of "${train.title}", which a kill hit, ended as ${state}.`];
}

async function enterSurely(
  { stage, victim }: PlannedKill,
  scene: { product: Product; ledger: Ledger; random: () => number },
): Promise<Standing | Error> {
  // A child that answers has to be there, wholly started, before it can be held or killed.
  if (!(await scene.ledger.talk("warm up", "What is the code?"))) throw new Error("A sound product gives no reply.");
  for (let tries = 1; ; tries++) {
    try {
      return await enter(stage, scene, victim);
    } catch (error) {
      if (tries === TRIES) return error as Error;
    }
  }
}
