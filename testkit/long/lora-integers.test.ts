import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { openBase, tokenizerOf } from "@caigun/lora";
import { integerErrors, type ProductError } from "../lora-integers.ts";
import { smolLm2 } from "./smollm2.ts";

const LENGTH = 128;
/** Relative Frobenius error of a product in 8-bit integers against the same in fp32. */
const MOST_ERROR = 0.03;

describe("SmolLM2-135M-Instruct's products in 8-bit integers", () => {
  it("are near those in fp32, forward and backward", async (t) => {
    const base = await openBase(await smolLm2());
    t.after(() => base.close());
    const text = readFileSync(new URL("../../docs/reading.md", import.meta.url), "utf8");
    const tokens = tokenizerOf(base.files).encode(text).slice(0, LENGTH);
    const { onOwn, onNormal } = await integerErrors(t, base, { length: LENGTH, tokens });
    print("normally distributed numbers", onNormal);
    print("its own activations and gradients", onOwn);

    function print(what: string, errors: ProductError[]): void {
      for (const [role, some] of Map.groupBy(errors, ({ product }) => product.replace(/blk\.\d+/, "layers"))) {
        const sorted = some.map(({ error }) => error).sort((a, b) => a - b);
        const percent = (at: number) => `${(100 * sorted[at]!).toFixed(2)} %`;
        const [middle, last] = [Math.floor(sorted.length / 2), sorted.length - 1];
        t.diagnostic(`${what}, ${role}: median ${percent(middle)}, largest ${percent(last)} of ${sorted.length}`);
        assert(sorted[last]! < MOST_ERROR, `${role}: ${sorted[last]}`);
      }
    }
  });
});
