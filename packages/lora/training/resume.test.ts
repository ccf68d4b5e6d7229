import assert from "node:assert/strict";
import { copyFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { describe, it, type TestContext } from "node:test";
import { smallModels } from "../../../testkit/lora-adapters.ts";
import { folderFor, randomSamples, smallBase } from "../../../testkit/lora-training.ts";
import type { OpenedBase } from "../base/open-base.ts";
import { defaultSettings, type TrainingSettings } from "./settings.ts";
import { type TrainedAdapter, type TrainingRun, trainAdapter } from "./train.ts";

const STEPS = 9;
const CHECKPOINT_EVERY = 2;
const plain: TrainingSettings = {
  ...defaultSettings,
  r: 2,
  alpha: 4,
  learningRate: 1e-2,
  length: 24,
  batch: 2,
  steps: STEPS,
  evaluateEvery: 3,
  patience: STEPS,
  checkpointEvery: CHECKPOINT_EVERY,
  seed: 11,
};

describe("a training", () => {
  for (const name of smallModels)
    for (const precision of ["float32", "int8"] as const)
      for (const settings of [plain, { ...plain, dropout: 0.2, accumulate: 3 }]) {
        const { dropout, accumulate } = settings;
        it(`of a ${name} in ${precision} with dropout ${dropout} and ${accumulate} batches a step is the same each time, interrupted or not`, async (t) => {
          const run = await runOf(t, await smallBase(t, name), { settings, precision });
          const uninterrupted = await trainAdapter(run);
          assert.equal(uninterrupted.curve.length, STEPS + 1);
          sameAdapter(await trainAdapter({ ...run, checkpoint: `${run.checkpoint}-again` }), uninterrupted);
          // After a checkpoint, and between two of them: then a step is made a second time.
          for (const last of [2, 5]) {
            const checkpoint = `${run.checkpoint}-${last}`;
            await interrupted({ ...run, checkpoint }, last);
            const steps: number[] = [];
            const onProgress = ({ step }: { step: number }) => steps.push(step);
            sameAdapter(await trainAdapter({ ...run, checkpoint, onProgress }), uninterrupted);
            assert.equal(steps[0], last - (last % CHECKPOINT_EVERY) + 1);
          }
        });
      }

  it("of another seed is another", async (t) => {
    const run = await runOf(t, await smallBase(t, "tiny-llama"));
    const { parameters } = await trainAdapter(run);
    const other = await trainAdapter({
      ...run,
      settings: { ...plain, seed: 12 },
      checkpoint: `${run.checkpoint}-other`,
    });
    assert.notDeepEqual(other.parameters, parameters);
  });

  it("does not go on from what is not its own checkpoint", async (t) => {
    const base = await smallBase(t, "tiny-llama");
    const run = await runOf(t, base);
    await interrupted(run, 4);
    const firstStep = async (other: Partial<TrainingRun>, prepare?: (checkpoint: string) => Promise<void>) => {
      const checkpoint = `${run.checkpoint}-copy`;
      await copyFile(run.checkpoint, checkpoint);
      await prepare?.(checkpoint);
      const steps: number[] = [];
      await trainAdapter({ ...run, ...other, checkpoint, onProgress: ({ step }) => steps.push(step) });
      return steps[0];
    };
    assert.equal(await firstStep({}), 5);
    assert.equal(await firstStep({ settings: { ...plain, learningRate: 1e-3 } }), 1);
    assert.equal(await firstStep({ precision: "int8" }), 1);
    assert.equal(await firstStep({ base: { ...base, digest: "0".repeat(64) } }), 1);
    assert.equal(await firstStep({ samples: run.samples.slice(1) }), 1);
    assert.equal(await firstStep({ heldOut: run.heldOut.slice(1) }), 1);
    const whole = await readFile(run.checkpoint);
    for (const bytes of [0, 10, 40, whole.length - 1])
      assert.equal(await firstStep({}, (checkpoint) => truncate(checkpoint, bytes)), 1, `${bytes} bytes`);
    const broken = Buffer.from(whole);
    broken[40] = 0;
    assert.equal(await firstStep({}, (checkpoint) => writeFile(checkpoint, broken)), 1, "a head that is no JSON");
    const longer = Buffer.concat([whole, Buffer.alloc(1)]);
    assert.equal(await firstStep({}, (checkpoint) => writeFile(checkpoint, longer)), 1);
  });

  it("leaves nothing but its checkpoint", async (t) => {
    const run = await runOf(t, await smallBase(t, "tiny-gpt2"));
    await interrupted(run, 3);
    await trainAdapter(run);
    assert.deepEqual(await readdir(run.folder), ["checkpoint"]);
  });
});

async function runOf(
  t: TestContext,
  base: OpenedBase,
  { settings = plain, precision = "float32" }: Partial<TrainingRun> = {},
): Promise<TrainingRun> {
  const folder = await folderFor(t);
  return {
    base,
    samples: randomSamples(base, { count: 20, longest: 40, seed: 1 }),
    heldOut: randomSamples(base, { count: 5, longest: 40, seed: 2 }),
    settings,
    folder,
    checkpoint: `${folder}/checkpoint`,
    precision,
    threads: 1,
    memoryBytes: 2e9,
  };
}

/** Ends the training after a step. */
async function interrupted(run: TrainingRun, last: number): Promise<void> {
  const end = new AbortController();
  const onProgress = ({ step }: { step: number }) => {
    if (step === last) end.abort(new Error("enough"));
  };
  await assert.rejects(trainAdapter({ ...run, signal: end.signal, onProgress }), /enough/);
}

function sameAdapter(actual: TrainedAdapter, expected: TrainedAdapter): void {
  assert.deepEqual(actual, expected);
}
