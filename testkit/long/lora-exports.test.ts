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
import { adaptedSmallModel, randomAdapter, smallModels } from "../lora-adapters.ts";
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
        base.close();
        const found = await byPyTorch(dirname(base.files.model), peft, merged, ids);
        assert.equal(found.adapted_modules, adapter.targets.length);
        assert(largestDifference(found.peft, golden.logits) < 1e-5);
        assert(largestDifference(found.merged, golden.logits) < 1e-5);
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
      base.close();
      const ids = tokenizerOf(base.files).encode("The office opens at nine in the morning, and closes at");
      const found = await byPyTorch(base.files.model, peft, merged, ids);
      assert.equal(found.adapted_modules, adapter.targets.length);
      assert(largestDifference(found.peft, found.base) > 1);
      assert(largestDifference(found.peft, found.merged) < 1e-3);

      const expected = logSoftmax(found.peft);
      const differences: Record<string, number> = {};
      const compare = async (way: string, tolerance: number, model: string, adapter?: string) => {
        const logits = await logProbabilities(model, ids, adapter);
        const likeliest = ranking(expected, 20);
        const of = (all: readonly number[]) => likeliest.map((token) => all[token]!);
        differences[way] = largestDifference(of(logits), of(expected));
        assert(differences[way] < tolerance, `${way}: ${differences[way]}`);
        assert.equal(ranking(logits, 1)[0], likeliest[0], way);
      };
      await compare("F32 with adapter", 1e-2, whole, lora);
      await compare("F32 merged", 1e-2, merged);
      // llama.cpp quantises activations where weights are quantised: the base's own logits are as far off.
      await compare("Q4_1 with adapter", 0.5, base.files.model, lora);
      await compare("F16 merged, the rest Q8_0", 0.5, small);
      console.log(JSON.stringify(differences));
    }));
});
