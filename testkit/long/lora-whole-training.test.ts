import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openBase, type TrainedAdapter, tokenizerOf, trainAdapter } from "@caigun/lora";
import { buildIndex, openIndex } from "@caigun/passages";
import { planFor, sequenceLength } from "../../apps/caigun/src/engines/lora/plan.ts";
import { samplesFrom } from "../../apps/caigun/src/engines/lora/samples.ts";
import { folderFor } from "../lora-training.ts";
import { smolLm2 } from "./smollm2.ts";

/** How far 8-bit integers may be above float32 in held-out loss, at each evaluation. */
const MOST_GAP = 0.01;
const SEED = 1;

/** Texts that are learned, apart by colons: eval's handbooks unless told. */
const texts =
  process.env.CAIGUN_TEST_TEXTS?.split(":") ??
  ["bicycle-works", "tea-house"].map((name) =>
    fileURLToPath(new URL(`../../eval/handbooks/${name}.txt`, import.meta.url)),
  );

describe("a whole training of SmolLM2-135M-Instruct, as the product plans it", () => {
  it("in 8-bit integers is as good as in float32", async (t) => {
    const [base, folder] = [await openBase(await smolLm2()), await folderFor(t)];
    t.after(() => base.close());
    const documents = texts.map((path) => ({ id: path, title: path, text: readFileSync(path, "utf8") }));
    buildIndex(join(folder, "index"), documents);
    const index = openIndex(join(folder, "index"));
    const length = sequenceLength(base.architecture.contextLength);
    const { learned, heldOut } = samplesFrom(index, tokenizerOf(base.files), length);
    index.close();
    const epochTokens = learned.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const plan = planFor(epochTokens, 135e6, length, SEED);
    const asked = heldOut.reduce((sum, { tokens, supervisedFrom }) => sum + tokens.length - supervisedFrom, 0);
    t.diagnostic(`${epochTokens} tokens, ${plan.steps} steps of ${plan.batch * length}, ${asked} held-out tokens`);

    const trained = async (precision: "int8" | "float32"): Promise<TrainedAdapter> => {
      const began = performance.now();
      const adapter = await trainAdapter({
        base,
        samples: learned,
        heldOut,
        // Both to the end: when a training would have stopped is not the question.
        settings: { ...plan, patience: plan.steps },
        folder,
        checkpoint: join(folder, precision),
        precision,
        threads: 2,
        memoryBytes: 8e9,
        onProgress: ({ step, steps, loss, heldOutLoss }) =>
          console.log(`${precision}: step ${step} of ${steps}, loss ${loss.toFixed(4)}, held out ${heldOutLoss}`),
      });
      t.diagnostic(`${precision}: ${Math.round((performance.now() - began) / 1000)} s`);
      return adapter;
    };
    const [integers, floats] = [await trained("int8"), await trained("float32")];
    for (const [at, { step, heldOutLoss }] of integers.curve.entries()) {
      if (heldOutLoss === null) continue;
      const expected = floats.curve[at]!.heldOutLoss!;
      const gap = heldOutLoss / expected - 1;
      t.diagnostic(
        `step ${step}: ${heldOutLoss.toFixed(4)}, in float32 ${expected.toFixed(4)}: ${(100 * gap).toFixed(2)} %`,
      );
      assert(gap < MOST_GAP, `step ${step}: ${gap}`);
    }
    const gap = integers.heldOutLoss! / floats.heldOutLoss! - 1;
    t.diagnostic(
      `the best: ${integers.heldOutLoss!.toFixed(4)} at step ${integers.step}, in float32 ${floats.heldOutLoss!.toFixed(4)} at step ${floats.step}: ${(100 * gap).toFixed(2)} %`,
    );
    assert(gap < MOST_GAP);
    assert(floats.heldOutLoss! < floats.heldOutLossBefore!, "nothing was learned");
  });
});
