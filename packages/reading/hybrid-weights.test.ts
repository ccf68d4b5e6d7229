import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { metTokensOf } from "./hybrid-weights.ts";

const WIDTH = 3;
const numbers = (length: number) =>
  fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: length, maxLength: length });
const question = fc
  .integer({ min: 1, max: 6 })
  .chain((count) =>
    fc.record({ tokens: numbers(count * WIDTH).map((values) => Float32Array.from(values)), best: numbers(count) }),
  );

const vectorsOf = (tokens: Float32Array) => ({
  embedder: "any",
  tokens,
  projected: new Float32Array(),
  mean: new Float32Array(WIDTH),
});

describe("the met tokens of a question", () => {
  it("say which tokens are met more than others", () => {
    const met = metTokensOf(vectorsOf(Float32Array.of(1, 0, 0, 0, 1, 0)), Float32Array.of(1, 0.5));
    assert.deepEqual([...met], [0.25 / Math.SQRT2, -0.25 / Math.SQRT2, 0]);
  });

  it("don't change where every token is met so much better or worse", () => {
    fc.assert(
      fc.property(question, fc.float({ min: -1, max: 1, noNaN: true }), ({ tokens, best }, more) => {
        const met = metTokensOf(vectorsOf(tokens), Float32Array.from(best));
        const moved = metTokensOf(
          vectorsOf(tokens),
          Float32Array.from(best, (cosine) => cosine + more),
        );
        for (const [at, value] of met.entries()) assert(Math.abs(value - moved[at]!) < 1e-5);
      }),
    );
  });
});
