import assert from "node:assert/strict";
import { test } from "node:test";
import type { Evidence } from "./evidence.ts";
import {
  fitNamed,
  foreignLogOddsOf,
  lexicalSignals,
  meanForeignSignals,
  type Strictness,
  thresholdOf,
} from "./index.ts";

const none: Evidence = { query: { language: "en", terms: [] }, passages: [] };
const fit = fitNamed("shipped");
const { confidence: weights, foreignLogOdds: usual, thresholds } = fit.lexical;
const zeros = Object.fromEntries(lexicalSignals.map((name) => [name, 0]));
const logOdds = (probability: number) => Math.log(probability / (1 - probability));
/** Evidence of a text with these mean log-odds. */
const withMean = (mean: number): Evidence => ({
  ...none,
  foreignSignals: { ...zeros, found: (mean - weights.bias) / weights.found },
});

test("a question that nothing is found for counts as one that no word of is held", () => {
  assert.deepEqual(meanForeignSignals([{ question: "Why?", evidence: none }]), zeros);
  assert.equal(foreignLogOddsOf({ foreignSignals: zeros }, weights), weights.bias);
});

test("where nothing was asked, or other signals were noted, nothing is known", () => {
  assert.equal(meanForeignSignals([]), undefined);
  assert.equal(foreignLogOddsOf({}, weights), undefined);
  const { length: _, ...fewer } = zeros;
  assert.equal(foreignLogOddsOf({ foreignSignals: fewer }, weights), undefined);
  assert.equal(thresholdOf("normal", { ...none, foreignSignals: fewer }, fit), thresholds.normal);
});

test("every threshold's log-odds fall by what is lacking, by 0.3 at the most, and never rise", () => {
  for (const strictness of ["low", "normal", "high"] satisfies Strictness[]) {
    for (const [below, fall] of [
      [0.1, 0.1],
      [0.5, 0.3],
    ] as const) {
      const lowered = thresholdOf(strictness, withMean(usual - below), fit);
      assert.ok(Math.abs(logOdds(thresholds[strictness]) - logOdds(lowered) - fall) < 1e-9, strictness);
    }
    for (const above of [0, 0.5, 3])
      assert.equal(thresholdOf(strictness, withMean(usual + above + 1e-9), fit), thresholds[strictness]);
  }
});

test("where vectors speak too the thresholds stay", () => {
  const [embedder, { thresholds: hybrid }] = Object.entries(fit.hybrid)[0]!;
  const empty = new Float32Array();
  const evidence = { ...withMean(usual - 1), vectors: { embedder, tokens: empty, projected: empty, mean: empty } };
  assert.equal(thresholdOf("normal", evidence, fit), hybrid.normal);
});
