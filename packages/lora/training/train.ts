import { createHash } from "node:crypto";
import { type AdapterLayout, adapterLayout } from "../architectures/adapter.ts";
import { adaptableLayers, type LinearLayer } from "../architectures/language-model.ts";
import type { Base } from "../base/base.ts";
import { BaseRefused } from "../base/problems.ts";
import type { Precision } from "../onnx/emitter.ts";
import { type CurvePoint, readCheckpoint, type TrainingState, writeCheckpoint } from "./checkpoint.ts";
import { type Graphs, openGraphs } from "./graphs.ts";
import { feedsOf, type PackedRow, pack, type Sample } from "./packing.ts";
import { Random } from "./random.ts";
import { learningRateAt } from "./schedule.ts";
import type { TrainingSettings } from "./settings.ts";

export interface TrainingProgress {
  step: number;
  steps: number;
  /** Mean cross-entropy of the step's asked tokens, in nats. */
  loss: number;
  /** The last one taken, in nats a token; null where there are no held-out samples. */
  heldOutLoss: number | null;
  /** Tokens that went through the model, by the time since this run began. */
  tokensPerSecond: number;
  remainingMs: number;
}

export interface TrainingRun {
  base: Base;
  samples: readonly Sample[];
  /** Samples that are not learned from, but asked. */
  heldOut: readonly Sample[];
  settings: TrainingSettings;
  /** An empty folder for the graphs while it runs. */
  folder: string;
  /** The file in which the state is kept, to go on from where the process is ended. */
  checkpoint: string;
  precision: Exclude<Precision, "float64">;
  threads: number;
  /** What the training may take; of the ways to compute it, the fastest that fits is taken. */
  memoryBytes: number;
  /** Ends the training within a step; its last checkpoint stays. */
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: TrainingProgress) => void) | undefined;
}

/** What a training made. */
export interface TrainedAdapter {
  layout: AdapterLayout;
  /** (P), as `layout` says: those with the smallest held-out loss. */
  parameters: Float32Array;
  baseDigest: string;
  /** After how many steps these parameters were reached. */
  step: number;
  curve: readonly CurvePoint[];
  /** In nats a token, before the first step and of `parameters`; null where nothing was held out. */
  heldOutLossBefore: number | null;
  heldOutLoss: number | null;
}

/** The loss is no longer a number: the learning rate is too high, or the base's weights are not what they should be. */
export class TrainingDiverged extends Error {
  override name = "TrainingDiverged";
}

/**
 * Trains an adapter: goes on from the checkpoint where there is one of the same training, to the bit as if it
 * had not been interrupted. It blocks the process while it computes; run it in one of its own.
 * Throws TrainingDiverged, TrainingTooLarge, BaseRefused where samples have tokens that the base does not know,
 * RangeError for targets that it does not have, and the signal's reason.
 */
export async function trainAdapter(run: TrainingRun): Promise<TrainedAdapter> {
  const { base, settings } = run;
  const layout = adapterLayout(targetLayers(base, settings), settings);
  for (const sample of [...run.samples, ...run.heldOut]) checkTokens(sample, base);
  const rows = pack(run.samples, settings.length);
  const heldOutRows = pack(run.heldOut, settings.length);
  if (rows.length === 0) throw new Error("There is no token to learn: every sample is shorter than two tokens.");
  const settles = digestOf(run, rows, heldOutRows);
  const state = (await readCheckpoint(run.checkpoint, settles, layout.size)) ?? beginning(layout, settings.seed);
  const graphs = await openGraphs({ ...run, layout }, rows, heldOutRows);
  try {
    await runSteps(run, {
      state,
      rows,
      heldOutRows,
      layout,
      graphs,
      keep: () => writeCheckpoint(run.checkpoint, settles, state),
    });
  } finally {
    await graphs.close();
  }
  const [before] = state.curve;
  return {
    layout,
    parameters: state.best.parameters,
    baseDigest: base.digest,
    step: state.best.step,
    curve: state.curve,
    heldOutLossBefore: before?.heldOutLoss ?? null,
    heldOutLoss: Number.isFinite(state.best.heldOutLoss) ? state.best.heldOutLoss : null,
  };
}

function targetLayers(base: Base, { targets }: TrainingSettings): LinearLayer[] {
  const all = adaptableLayers(base);
  if (targets === undefined) return all;
  const roleOf = ({ name }: LinearLayer) => name.split(".")[2] as string;
  const known = new Set(all.map(roleOf));
  const unknown = targets.filter((target) => !known.has(target));
  if (targets.length === 0) throw new RangeError("No linear layer is named that would be adapted.");
  if (unknown.length > 0)
    throw new RangeError(
      `This base has no linear layers ${unknown.join(", ")}: name some of ${[...known].join(", ")}.`,
    );
  return all.filter((layer) => targets.includes(roleOf(layer)));
}

/** An id that is too large ends ONNX Runtime's step, and one below 0 counts from the end. Throws BaseRefused. */
function checkTokens({ tokens }: Sample, { architecture: { vocabulary } }: Base): void {
  const wrong = tokens.find((token) => !(Number.isInteger(token) && token >= 0 && token < vocabulary));
  if (wrong !== undefined)
    throw new BaseRefused(
      `A sample has the token ${wrong}, and the base knows those from 0 to ${vocabulary - 1}: its tokenizer is another model's. Fetch it again.`,
    );
}

interface Loop {
  state: TrainingState;
  rows: PackedRow[];
  heldOutRows: PackedRow[];
  layout: AdapterLayout;
  graphs: Graphs;
  keep: () => Promise<void>;
}

async function runSteps(run: TrainingRun, loop: Loop): Promise<void> {
  const { settings, signal } = run;
  const { state, graphs } = loop;
  const [began, first] = [performance.now(), state.step];
  let lastHeldOut = state.curve.findLast((point) => point.heldOutLoss !== null)?.heldOutLoss ?? null;
  if (state.step === 0) lastHeldOut = await evaluate(run, loop, null);
  while (state.step < settings.steps && state.evaluationsWithoutGain < settings.patience) {
    signal?.throwIfAborted();
    const loss = await makeStep(run, loop);
    const due = state.step % settings.evaluateEvery === 0 || state.step === settings.steps;
    if (due) lastHeldOut = await evaluate(run, loop, loss);
    else state.curve.push({ step: state.step, loss, heldOutLoss: null });
    if (due || state.step % settings.checkpointEvery === 0) await loop.keep();
    const elapsedMs = performance.now() - began;
    const made = state.step - first;
    run.onProgress?.({
      step: state.step,
      steps: settings.steps,
      loss,
      heldOutLoss: lastHeldOut,
      tokensPerSecond: (made * graphs.tokensPerStep) / (elapsedMs / 1000),
      remainingMs: (elapsedMs / made) * (settings.steps - state.step),
    });
    // The event loop gets its turn, so that a cancellation is heard.
    await new Promise(setImmediate);
  }
}

/** One step on the rows that the seed gives it; the loss is the mean over all its batches. */
async function makeStep({ settings }: TrainingRun, { state, rows, layout, graphs }: Loop): Promise<number> {
  const step = state.step + 1;
  const batches = Array.from({ length: settings.accumulate }, (_, at) =>
    rowsOf(rows, settings, (step - 1) * settings.accumulate + at),
  );
  const asked = batches.flat().reduce((sum, row) => sum + row.supervised, 0);
  let loss = 0;
  let accumulated: Float32Array = new Float32Array(layout.size);
  for (const [at, batch] of batches.entries()) {
    const apply = at === batches.length - 1;
    const results = await graphs.step.run({
      ...feedsOf(batch, graphs.size, 1 / asked),
      ...noise(settings, layout, step * settings.accumulate + at),
      parameters: state.parameters,
      firstMoment: state.firstMoment,
      secondMoment: state.secondMoment,
      accumulated,
      learningRate: Float32Array.of(
        learningRateAt(step, { peak: settings.learningRate, steps: settings.steps, warmup: settings.warmup }),
      ),
      correction1: Float32Array.of(1 - settings.adamW.beta1 ** step),
      correction2: Float32Array.of(1 - settings.adamW.beta2 ** step),
      apply: Float32Array.of(Number(apply)),
    });
    loss += results.loss?.[0] as number;
    if (!Number.isFinite(loss) || !Number.isFinite(results.gradientNorm?.[0]))
      throw new TrainingDiverged(
        `The loss of step ${step} is no longer a number (learning rate ${settings.learningRate}).`,
      );
    accumulated = results["next.accumulated"] as Float32Array;
    if (!apply) continue;
    state.parameters = results["next.parameters"] as Float32Array;
    state.firstMoment = results["next.firstMoment"] as Float32Array;
    state.secondMoment = results["next.secondMoment"] as Float32Array;
  }
  state.step = step;
  return loss;
}

/** Takes the held-out loss, and keeps the parameters where it is the smallest so far. */
async function evaluate(
  { settings }: TrainingRun,
  { state, heldOutRows, graphs }: Loop,
  loss: number | null,
): Promise<number | null> {
  let heldOutLoss: number | null = null;
  if (graphs.heldOut) {
    const asked = heldOutRows.reduce((sum, row) => sum + row.supervised, 0);
    heldOutLoss = 0;
    for (let start = 0; start < heldOutRows.length; start += settings.batch) {
      const feeds = feedsOf(heldOutRows.slice(start, start + settings.batch), graphs.heldOutSize, 1 / asked);
      heldOutLoss += (await graphs.heldOut.run({ ...feeds, parameters: state.parameters })).loss?.[0] as number;
    }
    if (!Number.isFinite(heldOutLoss))
      throw new TrainingDiverged(`The held-out loss after step ${state.step} is no number.`);
  }
  state.curve.push({ step: state.step, loss, heldOutLoss });
  // Without held-out samples the last parameters are the best.
  if (heldOutLoss === null || heldOutLoss < state.best.heldOutLoss) {
    state.best = {
      parameters: state.parameters,
      step: state.step,
      heldOutLoss: heldOutLoss ?? Number.POSITIVE_INFINITY,
    };
    state.evaluationsWithoutGain = 0;
  } else state.evaluationsWithoutGain++;
  return heldOutLoss;
}

/** The rows of a batch, counted from 0: each epoch takes all rows once, in an order of its own; the last batch of an epoch may be filled from the next. */
function rowsOf(rows: readonly PackedRow[], { batch, seed }: TrainingSettings, at: number): PackedRow[] {
  const orders = new Map<number, number[]>();
  return Array.from({ length: Math.min(batch, rows.length) }, (_, row) => {
    const place = at * Math.min(batch, rows.length) + row;
    const epoch = Math.floor(place / rows.length);
    const order = orders.get(epoch) ?? new Random(seed, EPOCH_STREAM + epoch).permutation(rows.length);
    orders.set(epoch, order);
    return rows[order[place % rows.length] as number] as PackedRow;
  });
}

function noise(
  { dropout, batch, length, seed }: TrainingSettings,
  layout: AdapterLayout,
  at: number,
): Record<string, BigInt64Array> {
  if (dropout === 0) return {};
  const random = new Random(seed, NOISE_STREAM + at);
  const draw = (count: number) => BigInt64Array.from({ length: count }, () => BigInt(random.int32()));
  return { rowNoise: draw(batch * length), columnNoise: draw(Math.max(...layout.entries.map((entry) => entry.in))) };
}

/** A is drawn uniformly in +-1 / sqrt(in), as PEFT does; B is zero, so that the first step begins at the base. */
function beginning(layout: AdapterLayout, seed: number): TrainingState {
  const parameters = new Float32Array(layout.size);
  for (const [at, { in: inner, start }] of layout.entries.entries()) {
    const random = new Random(seed, START_STREAM + at);
    for (let place = start; place < start + layout.r * inner; place++)
      parameters[place] = (2 * random.uniform() - 1) / Math.sqrt(inner);
  }
  return {
    step: 0,
    parameters,
    firstMoment: new Float32Array(layout.size),
    secondMoment: new Float32Array(layout.size),
    best: { parameters, step: 0, heldOutLoss: Number.POSITIVE_INFINITY },
    evaluationsWithoutGain: 0,
    curve: [],
  };
}

const START_STREAM = 0;
const EPOCH_STREAM = 0x4000_0000;
const NOISE_STREAM = 0x8000_0000;

/** Raised whenever the same run computes other numbers: a training that was begun with others begins anew. */
const ARITHMETIC = 2;

/** Names all that the numbers of a training follow from. */
function digestOf({ base, settings, precision }: TrainingRun, rows: PackedRow[], heldOutRows: PackedRow[]): string {
  const hash = createHash("sha256").update(
    JSON.stringify({ arithmetic: ARITHMETIC, base: base.digest, settings, precision }),
  );
  for (const row of [...rows, ...heldOutRows])
    for (const { tokens, supervisedFrom } of row.pieces) hash.update(`${supervisedFrom}:${tokens.join(",")};`);
  return hash.digest("hex");
}
