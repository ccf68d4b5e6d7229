import assert from "node:assert/strict";
import { test } from "node:test";
import { LossCurve } from "./loss-curve.ts";

test("a loss that falls is drawn as bars that fall, as far as the training has come", () => {
  const curve = new LossCurve();
  assert.equal(curve.drawn(), "");
  for (let step = 1; step <= 50; step++) {
    curve.add({ step, steps: 100, loss: 5 - step / 20 });
    curve.add({ step, steps: 100, loss: null });
  }
  assert.equal(curve.drawn(), "█▇▆▅▄▃▂▁");
  // The server tells of a step more than once.
  curve.add({ step: 50, steps: 100, loss: 2.5 });
  assert.equal(curve.drawn(), "█▇▆▅▄▃▂▁");
});

test("few steps have a bar each, and one alone is no curve", () => {
  const curve = new LossCurve();
  curve.add({ step: 1, steps: 3, loss: 4 });
  assert.equal(curve.drawn(), "▁");
  curve.add({ step: 2, steps: 3, loss: 2 });
  curve.add({ step: 3, steps: 3, loss: 3 });
  assert.equal(curve.drawn(), "█▁▅");
});
