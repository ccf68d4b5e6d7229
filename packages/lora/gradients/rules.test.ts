import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { add, matmul, mul, reshape, sum } from "../graph/build.ts";
import { elements, Graph, type Value } from "../graph/graph.ts";
import type { Attributes, OperationName } from "../graph/operations.ts";
import { FrozenFile } from "../onnx/frozen-file.ts";
import { lower } from "../onnx/lower.ts";
import { Session } from "../onnx/session.ts";
import { differentiate } from "./differentiate.ts";
import { gradientRules } from "./rules.ts";

const STEP = 1e-5;
const TOLERANCE = 1e-6;
/** Below this a gradient is compared by its distance. */
const SMALL = 1e-3;

/** What one operation is tried on: the shapes of its inputs, and which of them are differentiated. */
interface Trial {
  operation: OperationName;
  shapes: readonly (readonly number[])[];
  attributes?: Attributes;
  /** Inputs that are whole numbers below this, and have no gradient. */
  indices?: Readonly<Record<number, number>>;
  /** Inputs that are frozen tensors. */
  frozen?: readonly number[];
  /** Which outputs go into the scalar; all unless told. */
  outputs?: readonly number[];
  positive?: boolean;
}

const trials: Trial[] = [
  {
    operation: "matmul",
    shapes: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    attributes: { factor: 0.7 },
  },
  {
    operation: "matmul",
    shapes: [
      [4, 3],
      [4, 5],
    ],
    attributes: { transposeA: true },
  },
  {
    operation: "matmul",
    shapes: [
      [3, 4],
      [5, 4],
    ],
    attributes: { transposeB: true, factor: -2 },
  },
  {
    operation: "matmul",
    shapes: [
      [4, 3],
      [5, 4],
    ],
    attributes: { transposeA: true, transposeB: true },
  },
  {
    operation: "project",
    shapes: [
      [3, 4],
      [5, 4],
    ],
    frozen: [1],
  },
  { operation: "add", shapes: [[3, 4], [4]] },
  {
    operation: "sub",
    shapes: [
      [3, 1],
      [2, 3, 4],
    ],
  },
  {
    operation: "mul",
    shapes: [
      [3, 4],
      [3, 1],
    ],
  },
  { operation: "div", shapes: [[3, 4], []], positive: true },
  { operation: "sigmoid", shapes: [[3, 4]] },
  { operation: "gelu", shapes: [[3, 4]] },
  { operation: "silu", shapes: [[3, 4]] },
  { operation: "softmax", shapes: [[2, 3, 4]] },
  { operation: "sum", shapes: [[2, 3, 4]], attributes: { axes: [0, 2] } },
  { operation: "reshape", shapes: [[3, 4]], attributes: { shape: [2, 6] } },
  { operation: "transpose", shapes: [[2, 3, 4]], attributes: { axes: [2, 0, 1] } },
  { operation: "slice", shapes: [[3, 6]], attributes: { axis: 1, start: 1, end: 4 } },
  {
    operation: "concat",
    shapes: [
      [3, 2],
      [3, 4],
    ],
    attributes: { axis: 1 },
  },
  {
    operation: "gather",
    shapes: [
      [5, 3],
      [2, 4],
    ],
    indices: { 1: 5 },
  },
  { operation: "layerNorm", shapes: [[3, 4], [4], [4]], attributes: { epsilon: 1e-5 }, frozen: [1, 2], outputs: [0] },
  { operation: "rmsNorm", shapes: [[3, 4], [4]], attributes: { epsilon: 1e-5 }, frozen: [1], outputs: [0] },
  {
    operation: "rotate",
    shapes: [
      [2, 3, 4, 6],
      [2, 4],
      [9, 3],
      [9, 3],
    ],
    indices: { 1: 9 },
    frozen: [2, 3],
  },
  { operation: "crossEntropy", shapes: [[3, 4], [7, 4], [3], [3]], indices: { 2: 7 }, frozen: [1, 3], outputs: [0] },
];

describe("gradient rules", { concurrency: false }, () => {
  it("are each tried here", () => {
    assert.deepEqual([...new Set(trials.map((trial) => trial.operation))].sort(), Object.keys(gradientRules).sort());
  });

  for (const trial of trials)
    it(`${trial.operation} ${trial.shapes.map((shape) => `(${shape})`).join(" ")} agrees with central differences in float64`, (t) =>
      agreesWithDifferences(t, trial));

  it("are missed where there is none", () => {
    const g = new Graph();
    const x = g.input("x", [2, 3]);
    assert.throws(
      () => differentiate(g, reshape(g, sum(g, g.one("sqrt", [x]), [0, 1]), []), [x]),
      /no gradient rule for sqrt/,
    );
    const y = g.input("y", [2, 3]);
    assert.throws(() => differentiate(g, reshape(g, sum(g, y, [0, 1]), []), [x]), /does not depend/);
  });

  it("add up where a value is used twice", async (t) => {
    const g = new Graph();
    const x = g.input("x", [2, 2]);
    const y = add(g, matmul(g, x, x), mul(g, x, x));
    g.output("dx", differentiate(g, reshape(g, sum(g, y, [0, 1]), []), [x])[0] as Value);
    const { dx } = await runOnce(t, g, { x: Float64Array.of(1, 2, 3, 4) }, {});
    // d/dx of the sum of xx + x*x: rows of sums of x^T and x, and 2x.
    assert.deepEqual([...(dx ?? [])], [3 + 4 + 2, 7 + 4 + 4, 3 + 6 + 6, 7 + 6 + 8]);
  });
});

async function agreesWithDifferences(t: TestContext, trial: Trial): Promise<void> {
  const { operation, shapes, attributes = {}, indices = {}, frozen = [], positive = false } = trial;
  const random = randomNumbers(operation.length * 7919 + shapes.flat().length);
  const g = new Graph();
  const feeds: Record<string, Float64Array | BigInt64Array> = {};
  const tensors: Record<string, Float32Array> = {};
  const inputs = shapes.map((shape, at) => {
    const name = `x${at}`;
    const numbers = Array.from({ length: elements(shape) }, () => (positive ? 0.5 + random() : 2 * random() - 1));
    if (frozen.includes(at)) {
      tensors[name] = Float32Array.from(numbers);
      return g.frozenTensor([name], shape);
    }
    const limit = indices[at];
    feeds[name] =
      limit === undefined
        ? Float64Array.from(numbers)
        : BigInt64Array.from(numbers, () => BigInt(Math.floor(random() * limit)));
    return g.input(name, shape, limit === undefined ? "real" : "int64");
  });
  // A scalar to which every element of the outputs counts differently.
  const outputs = g.apply(operation, inputs, attributes).filter((_, at) => trial.outputs?.includes(at) ?? true);
  const scalar = outputs
    .map((output) => {
      const weights = g.constant(
        Array.from({ length: elements(output.shape) }, () => 2 * random() - 1),
        output.shape,
      );
      return reshape(
        g,
        sum(
          g,
          mul(g, output, weights),
          output.shape.map((_, axis) => axis),
        ),
        [],
      );
    })
    .reduce((a, b) => add(g, a, b));
  g.output("scalar", scalar);
  const sources = inputs.filter((_, at) => !frozen.includes(at) && indices[at] === undefined);
  const names = shapes.map((_, at) => `x${at}`).filter((_, at) => sources.includes(inputs[at] as Value));
  for (const [at, gradient] of differentiate(g, scalar, sources).entries()) g.output(`d${names[at]}`, gradient);

  const session = await opened(t, g, tensors);
  const results = await session.run(feeds);
  for (const name of names) {
    const data = feeds[name] as Float64Array;
    for (let at = 0; at < data.length; at++) {
      const [left, right] = [-STEP, STEP].map(async (step) => {
        const moved = Float64Array.from(data);
        moved[at] = (data[at] as number) + step;
        return (await session.run({ ...feeds, [name]: moved })).scalar?.[0] as number;
      });
      const difference = (((await right) as number) - ((await left) as number)) / (2 * STEP);
      const gradient = results[`d${name}`]?.[at] as number;
      const error = Math.abs(gradient - difference) / Math.max(SMALL, Math.abs(difference));
      assert(error < TOLERANCE, `d${name}[${at}] is ${gradient}, by differences ${difference}`);
    }
  }
}

async function runOnce(
  t: TestContext,
  g: Graph,
  feeds: Record<string, Float64Array>,
  tensors: Record<string, Float32Array>,
) {
  return (await opened(t, g, tensors)).run(feeds);
}

async function opened(t: TestContext, g: Graph, tensors: Record<string, Float32Array>): Promise<Session> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-lora-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = new FrozenFile(join(folder, "frozen"), (name) => tensors[name] as Float32Array);
  const model = lower(g, "float64", file);
  file.close();
  const session = await Session.open(folder, "model", model, { threads: 1 });
  t.after(() => session.close());
  return session;
}

/** Uniform in [0, 1), the same each time: a linear congruential generator (Numerical Recipes). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
