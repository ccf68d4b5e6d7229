import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readdir, readFile, rm, symlink } from "node:fs/promises";
import type { TestContext } from "node:test";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { folderFor, randomSamples, smallBase } from "../../../testkit/lora-training.ts";
import { TrainingTooLarge } from "./graphs.ts";
import { defaultSettings } from "./settings.ts";
import { TrainingDiverged, type TrainingRun, trainAdapter } from "./train.ts";

const settings = {
  ...defaultSettings,
  r: 2,
  alpha: 4,
  length: 24,
  batch: 2,
  steps: 6,
  evaluateEvery: 3,
  checkpointEvery: 2,
};

describe("a training ends, and says why,", () => {
  for (const precision of ["float32", "int8"] as const) {
    it(`where its loss is no longer a number, in ${precision}`, async (t) => {
      const run = { ...(await runOf(t)), precision };
      const high = { ...settings, learningRate: 1e30, warmup: 0 };
      await assert.rejects(trainAdapter({ ...run, settings: high }), (error) => {
        assert(error instanceof TrainingDiverged);
        assert.match(error.message, /^The loss of step \d is no longer a number \(learning rate 1e\+30\)\.$/);
        return true;
      });
      // Nothing of it is kept but checkpoints of numbers.
      assert.deepEqual(
        (await readdir(run.folder)).filter((name) => name !== "checkpoint"),
        [],
      );
    });

    it(`where the base's weights are not numbers, in ${precision}`, async (t) => {
      const run = await runOf(t);
      const read = (name: string) =>
        name.endsWith("ffn_up.weight") ? run.base.read(name).fill(Number.NaN) : run.base.read(name);
      await assert.rejects(trainAdapter({ ...run, precision, base: { ...run.base, read } }), TrainingDiverged);
    });
  }

  it("where only the held-out loss is no number", async (t) => {
    const run = await runOf(t);
    const token = 200;
    const { width } = run.base.architecture;
    // One token's row is damaged, and no sample that is learned from has it.
    const read = (name: string) => {
      const numbers = run.base.read(name);
      return name === "token_embd.weight" ? numbers.fill(Number.NaN, token * width, (token + 1) * width) : numbers;
    };
    const without = run.samples.map((sample) => ({ ...sample, tokens: sample.tokens.filter((id) => id !== token) }));
    const samples = without.filter(({ tokens, supervisedFrom }) => supervisedFrom < tokens.length);
    const heldOut = [{ tokens: [1, token, 2], supervisedFrom: 1 }];
    await assert.rejects(trainAdapter({ ...run, samples, heldOut, base: { ...run.base, read } }), {
      name: "TrainingDiverged",
      message: "The held-out loss after step 0 is no number.",
    });
  });

  it("where a sample has a token for which the base has no row", async (t) => {
    const run = await runOf(t);
    const { vocabulary } = run.base.architecture;
    for (const wrong of [vocabulary, -1, 1.5])
      for (const where of ["samples", "heldOut"] as const)
        await assert.rejects(
          trainAdapter({ ...run, [where]: [...run[where], { tokens: [1, wrong], supervisedFrom: 1 }] }),
          {
            name: "BaseRefused",
            message: `A sample has the token ${wrong}, and the base knows those from 0 to ${vocabulary - 1}: its tokenizer is another model's. Fetch it again.`,
          },
        );
  });

  it("where a layer is to be adapted that the base does not have", async (t) => {
    const run = await runOf(t);
    await assert.rejects(trainAdapter({ ...run, settings: { ...settings, targets: ["attn_q", "attn_qkv"] } }), {
      name: "RangeError",
      message:
        "This base has no linear layers attn_qkv: name some of attn_q, attn_k, attn_v, attn_output, ffn_gate, ffn_up, ffn_down.",
    });
    await assert.rejects(trainAdapter({ ...run, settings: { ...settings, targets: [] } }), RangeError);
  });

  it("where it would take more memory than it may, with what it needs", async (t) => {
    const run = await runOf(t);
    const failure = await trainAdapter({ ...run, memoryBytes: 10e6 }).catch((error: unknown) => error);
    assert(failure instanceof TrainingTooLarge);
    const needed = Math.ceil(failure.neededBytes / 1e6);
    assert(needed > 10);
    assert.equal(failure.message, `The training needs about ${needed} MB of memory, and 10 MB may be taken.`);
    assert.deepEqual(await readdir(run.folder), []);
    const { step } = await trainAdapter({ ...run, memoryBytes: failure.neededBytes });
    assert(step >= 0);
    await assert.rejects(
      trainAdapter({ ...run, checkpoint: `${run.checkpoint}-2`, memoryBytes: failure.neededBytes - 1 }),
      TrainingTooLarge,
    );
  });

  it("where there is nothing to learn", async (t) => {
    const run = await runOf(t);
    await assert.rejects(trainAdapter({ ...run, samples: [{ tokens: [1], supervisedFrom: 1 }] }), /no token to learn/);
  });

  it("where the disk is full while a checkpoint is written, and the last one stays", async (t) => {
    const run = await runOf(t);
    const uninterrupted = await trainAdapter({ ...run, checkpoint: `${run.checkpoint}-whole` });
    const end = new AbortController();
    const onProgress = ({ step }: { step: number }) => void (step === 2 && end.abort(new Error("enough")));
    await assert.rejects(trainAdapter({ ...run, signal: end.signal, onProgress }), /enough/);
    const kept = await readFile(run.checkpoint);
    await symlink("/dev/full", `${run.checkpoint}.part`);
    await assert.rejects(trainAdapter(run), { code: "ENOSPC" });
    assert.deepEqual(await readFile(run.checkpoint), kept);
    await rm(`${run.checkpoint}.part`);
    const steps: number[] = [];
    assert.deepEqual(await trainAdapter({ ...run, onProgress: ({ step }) => steps.push(step) }), uninterrupted);
    assert.equal(steps[0], 3);
  });

  it("where the frozen weights find no room, and the checkpoint stays", async (t) => {
    const run = await runOf(t);
    const child = fileURLToPath(new URL("../../../testkit/children/train-small-model.ts", import.meta.url));
    const train = (limit: string) =>
      promisify(execFile)("sh", ["-c", `${limit} exec "$0" "$1" "$2"`, process.execPath, child, run.folder]);
    assert.match((await train("")).stdout, /^trained/);
    const kept = await readFile(run.checkpoint);
    // No file may be longer than so many blocks, of 512 or 1,024 bytes; Node gets an error as from a full disk.
    assert.match((await train("ulimit -f 60;")).stdout, /^EFBIG/);
    assert.deepEqual(await readFile(run.checkpoint), kept);
    assert.deepEqual(await readdir(run.folder), ["checkpoint"]);
  });
});

async function runOf(t: TestContext): Promise<TrainingRun> {
  const base = await smallBase(t, "tiny-llama");
  const folder = await folderFor(t);
  return {
    base,
    samples: randomSamples(base, { count: 12, longest: 24, seed: 1 }),
    heldOut: randomSamples(base, { count: 3, longest: 24, seed: 2 }),
    settings,
    folder,
    checkpoint: `${folder}/checkpoint`,
    precision: "float32",
    threads: 1,
    memoryBytes: 2e9,
  };
}
