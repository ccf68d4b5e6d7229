import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { smallModels } from "../../../testkit/lora-adapters.ts";
import { integerErrors } from "../../../testkit/lora-integers.ts";
import { folderFor, openGraph, smallBase } from "../../../testkit/lora-training.ts";
import { outlierGpt2 } from "../../../testkit/outlier-base.ts";
import { seededRandom } from "../../../testkit/random.ts";
import { Graph } from "../graph/graph.ts";
import { exactIntegers } from "./exact-integers.ts";
import type { WeightIntegers } from "./quantise.ts";
import type { Results } from "./session.ts";

/** Relative Frobenius error of a product in 8-bit integers against the same in fp32. */
const MOST_ERROR = 0.03;
const [ROWS, INNER, OUT, BLOCK] = [4, 256, 96, 32];

describe("products with frozen weights in 8-bit integers", () => {
  for (const name of smallModels)
    it(`of a ${name} are near those in fp32, forward and backward, on its own activations and gradients`, async (t) => {
      areNear(t, await integerErrors(t, await smallBase(t, name), { length: 32 }));
    });

  it("of a wider GPT-2 whose norms make outlier channels are near those in fp32", async (t) => {
    areNear(t, await integerErrors(t, outlierGpt2(), { length: 32 }));
  });

  it("add up exactly where all integers are the largest there are, as this processor needs its weights", async (t) => {
    const integers = await exactIntegers(await folderFor(t));
    t.diagnostic(integers);
    const signOf = (row: number) => (row % 2 ? -1 : 1);
    // The first number of a block becomes all of the block when it is spread: rows of ones and minus ones, before that.
    const rows = (width: number) =>
      Float32Array.from({ length: ROWS * width }, (_, at) => first(at) * signOf(Math.floor(at / width)));
    const first = (at: number) => Number(at % BLOCK === 0);
    const forwardWeight = Float32Array.from({ length: OUT * INNER }, (_, at) => -first(at));
    const backwardWeight = Float32Array.from({ length: OUT * INNER }, (_, at) => -first(Math.floor(at / INNER)));
    const given = { x: rows(INNER), dy: rows(OUT) };
    const { forward } = await products(t, { ...given, weight: forwardWeight }, integers);
    const { backward } = await products(t, { ...given, weight: backwardWeight }, integers);
    const isExact = (sums: Results[string], terms: number, width: number) => {
      for (const [at, sum] of sums.entries()) {
        const exact = (-terms / BLOCK) * signOf(Math.floor(at / width));
        assert(Math.abs(sum / exact - 1) < 1e-5, `${sum} instead of ${exact}`);
      }
    };
    isExact(forward!, INNER, OUT);
    isExact(backward!, OUT, INNER);
  });

  it("are the same to the bit whether weights are signed or not", async (t) => {
    const random = seededRandom(3);
    const numbers = (length: number) => Float32Array.from({ length }, () => random() - 0.5);
    const given = { x: numbers(ROWS * INNER), dy: numbers(ROWS * OUT), weight: numbers(OUT * INNER) };
    const exact = await exactIntegers(await folderFor(t));
    assert.deepEqual(await products(t, given, "uint8"), await products(t, given, exact));
  });
});

function areNear(t: TestContext, { onOwn, onNormal }: Awaited<ReturnType<typeof integerErrors>>): void {
  for (const { product, error } of [...onOwn, ...onNormal]) {
    t.diagnostic(`${product}: ${(100 * error).toFixed(2)} %`);
    assert(error < MOST_ERROR, `${product}: ${error}`);
  }
}

/** x W^T and dy W. */
async function products(
  t: TestContext,
  { x, dy, weight }: Record<"x" | "dy" | "weight", Float32Array>,
  integers: WeightIntegers,
): Promise<Results> {
  const g = new Graph();
  const frozen = g.frozenTensor(["weight"], [OUT, INNER]);
  g.output("forward", g.one("project", [g.input("x", [ROWS, INNER]), frozen]));
  g.output("backward", g.one("projectBack", [g.input("dy", [ROWS, OUT]), frozen]));
  const { session, close } = await openGraph(g, () => weight, "int8", integers);
  t.after(close);
  return session.run({ x, dy });
}
