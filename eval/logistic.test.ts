import assert from "node:assert/strict";
import { test } from "node:test";
import { fitLogistic } from "./logistic.ts";

test("finds the weights that made the examples", () => {
  // Each point as often positive as the model says: the maximum of the likelihood is then the model itself.
  const [bias, first, second] = [-1, 2, 0.5];
  const examples = [];
  for (const a of [0, 0.5, 1]) {
    for (const b of [0, 1, 2]) {
      const positive = Math.round(10_000 / (1 + Math.exp(-(bias + first * a + second * b))));
      for (let index = 0; index < 10_000; index++) examples.push({ signals: [a, b], isPositive: index < positive });
    }
  }
  const fit = fitLogistic(examples);
  assert.ok(Math.abs(fit.bias - bias) < 0.01, `bias ${fit.bias}`);
  assert.ok(Math.abs(fit.weights[0]! - first) < 0.01 && Math.abs(fit.weights[1]! - second) < 0.01, `${fit.weights}`);
});

test("a ridge holds down the weight that it is given for, and no other", () => {
  const examples = [0, 1, 2, 3].flatMap((first) =>
    [0, 1].flatMap((second) =>
      Array.from({ length: 20 }, (_, index) => ({
        signals: [first, second],
        isPositive: index < 3 + 3 * first + 4 * second,
      })),
    ),
  );
  const free = fitLogistic(examples);
  const held = fitLogistic(examples, [0, 1e9]);
  assert.ok(Math.abs(held.weights[1]!) < 1e-4 && Math.abs(free.weights[1]!) > 0.5, `${held.weights} ${free.weights}`);
  assert.ok(Math.abs(held.weights[0]! - free.weights[0]!) < 0.2 * free.weights[0]!, `${held.weights} ${free.weights}`);
});
