import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { exportGgufAdapter, exportGgufModel } from "@caigun/lora";
import { largestDifference, logProbabilities, logSoftmax, ranking } from "../testkit/llama-logits.ts";
import { adaptedSmallModel, smallModels } from "../testkit/lora-adapters.ts";

describe("llama.cpp", () => {
  for (const name of smallModels)
    it(`gives with an adapter of ${name}, and with the merged model, the logits that PEFT gave`, async (t) => {
      const folder = await mkdtemp(join(tmpdir(), "caigun-exports-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      const { base, adapter, golden, ids } = await adaptedSmallModel(name);
      t.after(() => base.close());
      const [model, lora, merged] = ["base.gguf", "adapter.gguf", "merged.gguf"].map((file) => join(folder, file));
      await exportGgufModel(base, model!, { type: "F32" });
      await exportGgufAdapter(adapter, lora!);
      await exportGgufModel(base, merged!, { adapter, type: "F32" });
      const expected = logSoftmax(golden.logits);
      const found = {
        withAdapter: await logProbabilities(model!, ids, lora),
        merged: await logProbabilities(merged!, ids),
      };
      for (const [way, logits] of Object.entries(found)) {
        const difference = largestDifference(logits, expected);
        assert(difference < 1e-2, `${way}: ${difference}`);
        assert.deepEqual(ranking(logits, 3), ranking(expected, 3), way);
      }
      // The adapter does something: without it the logits are others.
      assert(largestDifference(await logProbabilities(model!, ids), expected) > 0.1);
    });
});
