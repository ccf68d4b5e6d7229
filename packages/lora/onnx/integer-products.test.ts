import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { smallModels } from "../../../testkit/lora-adapters.ts";
import { integerErrors } from "../../../testkit/lora-integers.ts";
import { opened, smallBase } from "../../../testkit/lora-training.ts";
import { Graph } from "../graph/graph.ts";

/** Relative Frobenius error of a product in 8-bit integers against the same in fp32. */
const MOST_ERROR = 0.03;

describe("products with frozen weights in 8-bit integers", () => {
  for (const name of smallModels)
    it(`of a ${name} are near those in fp32, forward and backward, on its own activations and gradients`, async (t) => {
      for (const { product, error } of await integerErrors(t, await smallBase(t, name), { length: 32 })) {
        t.diagnostic(`${product}: ${(100 * error).toFixed(2)} %`);
        assert(error < MOST_ERROR, `${product}: ${error}`);
      }
    });

  it("add up exactly where all numbers are the largest there are", async (t) => {
    // Some processors add two products of bytes in 16 bits: sums beyond them would be cut off.
    const [rows, inner, out] = [4, 256, 32];
    const g = new Graph();
    const weight = g.frozenTensor(["weight"], [out, inner]);
    g.output("forward", g.one("project", [g.input("x", [rows, inner]), weight]));
    g.output("backward", g.one("projectBack", [g.input("dy", [rows, out]), weight]));
    const session = await opened(t, g, () => new Float32Array(out * inner).fill(-1), "int8");
    const sign = (at: number, width: number) => (Math.floor(at / width) % 2 ? -1 : 1);
    const { forward, backward } = await session.run({
      x: Float32Array.from({ length: rows * inner }, (_, at) => sign(at, inner)),
      dy: Float32Array.from({ length: rows * out }, (_, at) => sign(at, out)),
    });
    for (const [found, terms, width] of [
      [forward!, inner, out],
      [backward!, out, inner],
    ] as const)
      for (const [at, number] of found.entries())
        assert(Math.abs(number / terms + sign(at, width)) < 1e-5, `${number} instead of ${-terms * sign(at, width)}`);
  });
});
