import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultSettings, openBase, type Sample, tokenizerOf } from "@caigun/lora";
import { weightsForTests } from "../testkit/weights.ts";
import { median } from "./load.ts";
import { timeByOperator } from "./lora-operations.ts";
import type { LoraGiven } from "./lora-process.ts";
import type { Bench, Figures } from "./main.ts";
import { pythonWithPeers } from "./peers/python.ts";
import { TurnTaker } from "./turns.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const [LENGTH, BATCH] = [256, 4];
const THREADS = Math.min(availableParallelism(), 4);
/** What the product lets a training take at the most. */
const MEMORY_BYTES = 2e9;
/** Steps in turn within each run, and those before, while memory is watched. */
const [TURNS_PER_RUN, STEPS_WATCHED] = [3, 2];
const LOSS_STEPS = 30;
const HELD_OUT_ROWS = 8;
/** Both begin at the base: further apart and they would not have the same weights or rows. */
const MOST_FIRST_LOSS_GAP = 0.02;

const settings = {
  ...defaultSettings,
  length: LENGTH,
  batch: BATCH,
  evaluateEvery: 1e6,
  checkpointEvery: 1e6,
  steps: 1e6,
};

/**
 * Training of an adapter beside PyTorch with PEFT: the same base from the same file, rank, rows and threads, every token
 * asked for; all systems are loaded, and make their steps in turn. Memory is that of each system's process from its
 * start to its third step, in which the most is held.
 */
export const lora: Bench = async ({ runs, progress }) => {
  const weights = await weightsForTests("smollm2-135m-instruct-q4_1");
  if ("missing" in weights) throw new Error(weights.missing);
  const model = weights.files["model.gguf"]!.path;
  const python = await pythonWithPeers(progress, "requirements-lora.txt");
  const folder = await mkdtemp(join(tmpdir(), "caigun-bench-"));
  const base = await openBase(model);
  try {
    const { learned, heldOut } = await realSamples(model);
    const rows = learned.slice(0, BATCH);
    const ours = (name: string, given: Partial<LoraGiven> = {}) =>
      trainerOf(folder, name, { base: model, samples: rows, settings, inTurns: true, ...given });
    const peer = async (name: string, bf16: boolean) => {
      const { r, alpha, learningRate } = settings;
      const tokens = rows.map((row) => row.tokens);
      const given = { base: model, tokens, r, alpha, learning_rate: learningRate, threads: THREADS, bf16 };
      const path = join(folder, `${name}.json`);
      await writeFile(path, JSON.stringify(given));
      return new TurnTaker(python, ["-W", "ignore", here("./peers/lora.py"), path]);
    };
    const speed = await inTurns(
      { caigun: () => ours("caigun"), peer_fp32: () => peer("fp32", false), peer_bf16: () => peer("bf16", true) },
      { turns: runs * TURNS_PER_RUN, progress },
    );
    const [caigun, fp32, bf16] = [speed.caigun!, speed.peer_fp32!, speed.peer_bf16!];
    if (Math.abs(caigun.firstLoss / fp32.firstLoss - 1) > MOST_FIRST_LOSS_GAP)
      throw new Error(`The losses of the first step are ${caigun.firstLoss} and ${fp32.firstLoss}: not the same work.`);
    for (const [name, { perSecond, processorSeconds, peakBytes }] of Object.entries(speed))
      progress(
        `${name}: ${Math.round(perSecond)} tokens/s, ${processorSeconds.toFixed(1)} processor seconds a step, ${Math.round(peakBytes / 1e6)} MB`,
      );
    const best = fp32.perSecond > bf16.perSecond ? fp32 : bf16;

    const losses: number[] = [];
    for (const precision of ["int8", "float32"] as const) {
      progress(`${LOSS_STEPS} steps in ${precision}`);
      const given = { samples: learned, heldOut, precision, inTurns: false, memoryBytes: 8e9 };
      losses.push(
        await heldOutLossOf(await ours(precision, { ...given, settings: { ...settings, steps: LOSS_STEPS } })),
      );
    }
    const [ofInt8, ofFp32] = losses as [number, number];

    progress("where a step's time goes");
    const operators = await timeByOperator(base, rows, settings, { folder, threads: THREADS });
    const growth: Figures = {};
    for (const [name, given] of Object.entries(growing(learned, base.architecture.layers))) {
      progress(`one step with ${name}`);
      const { perSecond, peakBytes } = await alone(await ours("growing", given));
      growth[name] = { tokens_per_second: perSecond, peak_memory_bytes: peakBytes };
    }
    return {
      base: "SmolLM2-135M-Instruct Q4_1",
      rows: BATCH,
      tokens_per_row: LENGTH,
      r: settings.r,
      threads: THREADS,
      tokens_per_second: caigun.perSecond,
      peak_memory_bytes: caigun.peakBytes,
      peer_fp32_tokens_per_second: fp32.perSecond,
      peer_bf16_tokens_per_second: bf16.perSecond,
      peer_best_tokens_per_second: best.perSecond,
      peer_peak_memory_bytes: best.peakBytes,
      peer_fp32_peak_memory_bytes: fp32.peakBytes,
      peer_bf16_peak_memory_bytes: bf16.peakBytes,
      ratio_fp32: caigun.perSecond / fp32.perSecond,
      ratio_best: caigun.perSecond / best.perSecond,
      processor_seconds_per_step: caigun.processorSeconds,
      peer_fp32_processor_seconds_per_step: fp32.processorSeconds,
      peer_bf16_processor_seconds_per_step: bf16.processorSeconds,
      first_loss: caigun.firstLoss,
      peer_first_loss: fp32.firstLoss,
      loss_steps: LOSS_STEPS,
      held_out_loss_int8: ofInt8,
      held_out_loss_fp32: ofFp32,
      loss_gap: (ofInt8 - ofFp32) / ofFp32,
      share_of_step_by_operator: operators,
      growth,
    };
  } finally {
    base.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** CaiGun's own documents, cut into rows; every tenth is held out. */
async function realSamples(model: string): Promise<{ learned: Sample[]; heldOut: Sample[] }> {
  const docs = here("../docs/");
  const pages = (await readdir(docs)).filter((name) => name.endsWith(".md")).sort();
  const text = (await Promise.all(pages.map((page) => readFile(join(docs, page), "utf8")))).join("\n");
  const tokens = tokenizerOf(model).encode(text);
  const all = Array.from({ length: Math.floor(tokens.length / LENGTH) }, (_, at) => ({
    tokens: tokens.slice(at * LENGTH, (at + 1) * LENGTH),
    supervisedFrom: 1,
  }));
  const isHeldOut = (at: number) => at % 10 === 0;
  return {
    learned: all.filter((_, at) => !isHeldOut(at)),
    heldOut: all.filter((_, at) => isHeldOut(at)).slice(0, HELD_OUT_ROWS),
  };
}

type Given = Pick<LoraGiven, "base" | "samples" | "settings" | "inTurns"> & Partial<LoraGiven>;

/** A training of ours in a process of its own. */
async function trainerOf(folder: string, name: string, given: Given): Promise<TurnTaker> {
  const own = await mkdtemp(join(folder, `${name}-`));
  const whole: LoraGiven = {
    heldOut: [],
    precision: "int8",
    threads: THREADS,
    memoryBytes: MEMORY_BYTES,
    folder: own,
    ...given,
  };
  const path = join(own, "given.json");
  await writeFile(path, JSON.stringify(whole));
  return new TurnTaker(process.execPath, [here("./lora-process.ts"), path]);
}

type Step = Awaited<ReturnType<TurnTaker["step"]>>;
type Speed = { perSecond: number; processorSeconds: number; peakBytes: number; firstLoss: number };

/** Starts the systems one after the other, then has each make a step, again and again. */
async function inTurns(
  systems: Record<string, () => Promise<TurnTaker>>,
  { turns, progress }: { turns: number; progress: (what: string) => void },
): Promise<Record<string, Speed>> {
  const started: { name: string; taker: TurnTaker; steps: Step[]; firstLoss: number }[] = [];
  try {
    for (const [name, start] of Object.entries(systems)) {
      progress(`starting ${name}`);
      const taker = await start();
      const system = { name, taker, steps: [], firstLoss: 0 };
      started.push(system);
      system.firstLoss = await begun(taker);
    }
    for (let turn = 1; turn <= turns; turn++) {
      progress(`turn ${turn} of ${turns}`);
      for (const { taker, steps } of started) steps.push(await taker.step());
    }
  } finally {
    for (const { taker } of started) await taker.end();
  }
  return Object.fromEntries(
    started.map(({ name, taker, steps, firstLoss }) => [name, speedOf(taker, steps, firstLoss)]),
  );
}

function speedOf({ peakBytes }: TurnTaker, steps: Step[], firstLoss: number): Speed {
  const perSecond = (BATCH * LENGTH) / median(steps.map(({ seconds }) => seconds));
  return { perSecond, processorSeconds: median(steps.map((step) => step.processorSeconds)), peakBytes, firstLoss };
}

/** The start and the steps in which memory is watched; gives the first step's loss. */
async function begun(taker: TurnTaker): Promise<number> {
  return taker.watched(
    (async () => {
      const { loss } = await taker.line<{ loss: number }>();
      for (let step = 0; step < STEPS_WATCHED; step++) await taker.step();
      return loss;
    })(),
  );
}

async function alone(taker: TurnTaker): Promise<Speed> {
  try {
    const firstLoss = await begun(taker);
    const steps: Step[] = [];
    for (let step = 0; step < TURNS_PER_RUN; step++) steps.push(await taker.step());
    return speedOf(taker, steps, firstLoss);
  } finally {
    await taker.end();
  }
}

async function heldOutLossOf(taker: TurnTaker): Promise<number> {
  try {
    for (;;) {
      const line = await taker.line<{ heldOutLoss?: number }>();
      if (line.heldOutLoss !== undefined) return line.heldOutLoss;
    }
  } finally {
    await taker.end();
  }
}

/** The same number of tokens a step with one thing changed. */
function growing(learned: readonly Sample[], layers: number): Record<string, Partial<LoraGiven>> {
  const tokens = learned.flatMap((sample) => sample.tokens);
  const rowsOf = (length: number): Partial<LoraGiven> => {
    const batch = (BATCH * LENGTH) / length;
    const samples = Array.from({ length: batch }, (_, at) => ({
      tokens: tokens.slice(at * length, (at + 1) * length),
      supervisedFrom: 1,
    }));
    return { samples, settings: { ...settings, length, batch } };
  };
  return {
    ...Object.fromEntries([128, 256, 512, 1024].map((length) => [`length ${length}`, rowsOf(length)])),
    ...Object.fromEntries([4, 64].map((r) => [`r ${r}`, { settings: { ...settings, r, alpha: 2 * r } }])),
    ...Object.fromEntries(
      [1 / 3, 2 / 3].map((share) => [`layers ${Math.round(share * layers)}`, { layers: Math.round(share * layers) }]),
    ),
    ...Object.fromEntries([1.5e9, 4e9].map((memoryBytes) => [`memory ${memoryBytes}`, { memoryBytes }])),
  };
}
