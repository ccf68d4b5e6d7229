import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { exportGgufAdapter, exportGgufModel, exportPeft, openBase, tokenizerOf } from "@caigun/lora";
import { largestDifference, logProbabilities, logSoftmax, ranking } from "../llama-logits.ts";
import { adaptedSmallModel, ownLogits, randomAdapter, smallModels } from "../lora-adapters.ts";
import { smolLm2 } from "./smollm2.ts";

const run = promisify(execFile);

/** A Python that has testkit/goldens/requirements-lora.txt (5.6 GB, so that a test does not install it). */
const python = process.env.CAIGUN_TEST_PYTHON ?? "python3";
const hasPeft = await run(python, ["-c", "import peft, gguf"]).then(
  () => true,
  () => false,
);
const skip =
  hasPeft || process.env.CAIGUN_TEST_COMPLETE === "1"
    ? false
    : "CAIGUN_TEST_PYTHON names no Python with testkit/goldens/requirements-lora.txt";

/** The likeliest tokens whose order is compared. */
const RANKED = 10;

type Logits = { base: number[]; peft: number[]; merged: number[]; adapted_modules: number };

const facts = {
  title: "A test",
  base: { name: "base", licence: "Apache-2.0", quantisation: "Q4_1" },
  dataDigest: "00",
  settings: {},
  curve: [],
};

/** What PyTorch gives with the exported files. */
async function byPyTorch(base: string, peft: string, merged: string, ids: readonly number[]): Promise<Logits> {
  const script = fileURLToPath(new URL("lora_exports.py", import.meta.url));
  const { stdout } = await run(python, [script, base, peft, merged, JSON.stringify(ids)], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}

async function inTemporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-lora-exports-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe("PEFT", { skip }, () => {
  for (const name of smallModels)
    it(`loads an adapter of ${name}, and gives the logits that it gave and that the merged model gives`, () =>
      inTemporaryFolder(async (folder) => {
        const { base, adapter, golden, ids } = await adaptedSmallModel(name);
        const [peft, merged] = [join(folder, "peft"), join(folder, "merged.gguf")];
        await exportPeft(adapter, peft, facts);
        await exportGgufModel(base, merged, { adapter, type: "F32" });
        const ours = await ownLogits(base, adapter, ids);
        base.close();
        const found = await byPyTorch(dirname(base.files.model), peft, merged, ids);
        assert.equal(found.adapted_modules, adapter.targets.length);
        assert(largestDifference(found.peft, golden.logits) < 1e-5);
        assert(largestDifference(found.merged, golden.logits) < 1e-5);
        assert(largestDifference(ours, golden.logits) < 1e-5);
      }));
});

describe("SmolLM2-135M-Instruct with an adapter", { skip }, () => {
  it("is the same in PEFT, merged, and in llama.cpp", () =>
    inTemporaryFolder(async (folder) => {
      const base = await openBase(await smolLm2());
      const adapter = randomAdapter(base, { r: 8, alpha: 16, seed: 3 });
      const paths = ["peft", "adapter.gguf", "base.gguf", "merged.gguf", "small.gguf"].map((name) =>
        join(folder, name),
      );
      const [peft, lora, whole, merged, small] = paths as [string, string, string, string, string];
      await exportPeft(adapter, peft, facts);
      await exportGgufAdapter(adapter, lora);
      await exportGgufModel(base, whole, { type: "F32" });
      await exportGgufModel(base, merged, { adapter, type: "F32" });
      await exportGgufModel(base, small, { adapter });
      const ids = tokenizerOf(base.files).encode("The office opens at nine in the morning, and closes at");
      const ours = await ownLogits(base, adapter, ids);
      base.close();
      const found = await byPyTorch(base.files.model, peft, merged, ids);
      assert.equal(found.adapted_modules, adapter.targets.length);
      assert(largestDifference(found.peft, found.base) > 1);
      const likeliest = ranking(ours, RANKED);
      const differences: Record<string, number> = {};
      for (const [way, logits] of Object.entries({ PEFT: found.peft, "merged, by transformers": found.merged })) {
        differences[way] = largestDifference(logits, ours);
        assert(differences[way] < 1e-2, `${way}: ${differences[way]}`);
        assert.deepEqual(ranking(logits, RANKED), likeliest, way);
      }

      // llama.cpp gives probabilities: their logarithms, of all tokens.
      const expected = logSoftmax(ours);
      const exact = { tolerance: 1e-2, ranked: RANKED };
      // llama.cpp quantises activations where weights are quantised: the base's own logits are as far off.
      const quantised = { tolerance: 1, ranked: 1 };
      for (const [way, model, adapter, { tolerance, ranked }] of [
        ["F32 with adapter, by llama.cpp", whole, lora, exact],
        ["F32 merged, by llama.cpp", merged, undefined, exact],
        ["Q4_1 with adapter, by llama.cpp", base.files.model, lora, quantised],
        ["F16 merged, the rest Q8_0, by llama.cpp", small, undefined, quantised],
      ] as const) {
        const logits = await logProbabilities(model, ids, adapter);
        differences[way] = largestDifference(logits, expected);
        assert(differences[way] < tolerance, `${way}: ${differences[way]}`);
        assert.deepEqual(ranking(logits, ranked), likeliest.slice(0, ranked), way);
      }
      console.log(JSON.stringify(differences));
    }));
});
