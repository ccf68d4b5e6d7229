import assert from "node:assert/strict";
import { test } from "node:test";
import { areaUnderCurve, containsGold, shareBelow, thresholdAt } from "./measures.ts";

test("a gold answer is found whatever its width, case, spaces and punctuation", () => {
  assert.ok(containsGold("He was born in ＮＥＷ－York, U.S.", ["new york"]));
  assert.ok(containsGold("售價為 1,200 元。", ["1200元"]));
  assert.ok(!containsGold("He was born in York.", ["New York"]));
  assert.ok(!containsGold("anything", ["?!"]), "an answer without letters and digits is in no reply");
});

test("a threshold refuses at most that share of the answerable questions", () => {
  const answerable = Array.from({ length: 100 }, (_, index) => index / 100);
  const threshold = thresholdAt(answerable, 0.05);
  assert.equal(threshold, 0.05);
  assert.equal(shareBelow(answerable, threshold), 0.05);
  assert.equal(shareBelow([0.01, 0.04, 0.05, 0.9], threshold), 0.5);
});

test("the area under the curve is the chance of ranking an answerable question higher", () => {
  assert.equal(areaUnderCurve([0.8, 0.9], [0.1, 0.2]), 1);
  assert.equal(areaUnderCurve([0.1, 0.2], [0.8, 0.9]), 0);
  assert.equal(areaUnderCurve([0.5], [0.5]), 0.5);
  assert.equal(areaUnderCurve([0.3, 0.7], [0.5]), 0.5);
});
