import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { adapterOf, exportGgufAdapter, type TrainingRun, tokenizerOf, trainAdapter } from "@caigun/lora";
import { openIndex } from "@caigun/passages";
import { serveParent } from "../../children/serve-parent.ts";
import type { LearnProgress, LearnReply, LearnRequest } from "./messages.ts";
import { openCheckedBase } from "./open-checked-base.ts";
import { LEAST_TOKENS, planFor, sequenceLength } from "./plan.ts";
import { type Samples, samplesFrom } from "./samples.ts";
import { withinMemory } from "./within-memory.ts";

/** The text has too few words for a language model to learn from. */
class TextTooShort extends Error {
  override name = "TextTooShort";
}

const SEED = 1;
/** Points of the curve that are kept, evenly apart. */
const CURVE_POINTS = 100;

/** The process that trains one adapter on the passages of one index. */
serveParent(async (message, report, signal): Promise<LearnReply> => {
  const { base: chosen, index: path, folder, checkpoint, target, threads, ...memory } = message as LearnRequest;
  const base = await openCheckedBase(chosen);
  try {
    const length = sequenceLength(base.architecture.contextLength);
    const samples = readSamples(path, base.files, length);
    if (samples.textTokens < LEAST_TOKENS)
      throw new TextTooShort(
        `The text has ${samples.textTokens} tokens, and a language model needs ${LEAST_TOKENS} to learn from.`,
      );
    const settings = planFor(tokensOf(samples.learned), parametersOf(base.tensors.values()), length, SEED);
    const run: Omit<TrainingRun, "memoryBytes"> = {
      base,
      samples: samples.learned,
      heldOut: samples.heldOut,
      settings,
      folder,
      checkpoint,
      precision: "int8",
      threads,
      signal,
      onProgress: ({ step, steps, loss, heldOutLoss, tokensPerSecond, remainingMs }) =>
        report({
          step,
          steps,
          loss,
          held_out_loss: heldOutLoss,
          tokens_per_second: tokensPerSecond,
          seconds_left: remainingMs / 1_000,
          base: chosen.name,
          base_because: chosen.because ?? null,
        } satisfies LearnProgress),
    };
    const trained = await withinMemory(memory, (memoryBytes) => trainAdapter({ ...run, memoryBytes }));
    await exportGgufAdapter(adapterOf(trained, base), target);
    return {
      bytes: (await stat(target)).size,
      facts: {
        base_digest: base.digest,
        base_because: chosen.because ?? null,
        base_licence: chosen.licence ?? null,
        base_quantisation: quantisationOf(base.tensors.values()),
        data_digest: digestOf(samples),
        r: settings.r,
        alpha: settings.alpha,
        settings: {
          learning_rate: settings.learningRate,
          sequence_tokens: settings.length,
          sequences_per_step: settings.batch * settings.accumulate,
          steps_planned: settings.steps,
          seed: settings.seed,
        },
        steps: trained.step,
        tokens: samples.textTokens,
        held_out_loss_before: trained.heldOutLossBefore,
        held_out_loss: trained.heldOutLoss,
        curve: thinned(trained.curve).map(({ step, loss, heldOutLoss }) => ({
          step,
          loss,
          held_out_loss: heldOutLoss,
        })),
      },
    };
  } finally {
    base.close();
  }
});

function readSamples(path: string, files: LearnRequest["base"]["files"], length: number): Samples {
  const index = openIndex(path);
  try {
    return samplesFrom(index, tokenizerOf(files), length);
  } finally {
    index.close();
  }
}

function tokensOf(samples: Samples["learned"]): number {
  return samples.reduce((sum, { tokens }) => sum + tokens.length, 0);
}

function parametersOf(tensors: Iterable<{ shape: readonly number[] }>): number {
  let sum = 0;
  for (const { shape } of tensors) sum += shape.reduce((product, size) => product * size, 1);
  return sum;
}

/** How most of the base's weights are kept. */
function quantisationOf(tensors: Iterable<{ type: string; shape: readonly number[] }>): string {
  const numbers = new Map<string, number>();
  for (const { type, shape } of tensors)
    numbers.set(type, (numbers.get(type) ?? 0) + shape.reduce((product, size) => product * size, 1));
  return [...numbers].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "unknown";
}

function digestOf({ learned, heldOut }: Samples): string {
  const hash = createHash("sha256");
  for (const { tokens, supervisedFrom } of [...learned, ...heldOut]) hash.update(`${supervisedFrom}:${tokens.join()};`);
  return hash.digest("hex");
}

/** All points with a held-out loss, and of the others so many. */
function thinned<Point extends { heldOutLoss: number | null }>(curve: readonly Point[]): Point[] {
  const every = Math.ceil(curve.length / CURVE_POINTS);
  return curve.filter(({ heldOutLoss }, at) => heldOutLoss !== null || at % every === 0);
}
