import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { smallModels } from "../../../testkit/lora-adapters.ts";
import {
  firstStep,
  folderFor,
  opened,
  randomParameters,
  randomSamples,
  smallBase,
} from "../../../testkit/lora-training.ts";
import { adapterLayout } from "../architectures/adapter.ts";
import { batchInputs } from "../architectures/inputs.ts";
import { adaptableLayers, hiddenStates } from "../architectures/language-model.ts";
import type { Base } from "../base/base.ts";
import type { OpenedBase } from "../base/open-base.ts";
import { Graph } from "../graph/graph.ts";
import type { Results } from "../onnx/session.ts";
import { feedsOf, mostSupervised, type PackedRow, pack } from "./packing.ts";
import { defaultSettings } from "./settings.ts";
import { logitsGraph, stepGraph } from "./step-graph.ts";
import { trainAdapter } from "./train.ts";

const TOLERANCE = 1e-5;
const LENGTH = 24;
const rank = { r: 4, alpha: 12 };
const { adamW } = defaultSettings;

for (const name of smallModels)
  describe(`a ${name} that is adapted`, () => {
    it("gives the base's logits where B is zero", async (t) => {
      const base = await smallBase(t, name);
      const layout = adapterLayout(adaptableLayers(base), rank);
      const parameters = randomParameters(layout, 1);
      for (const { start, in: inner, out } of layout.entries)
        parameters.fill(0, start + rank.r * inner, start + rank.r * (inner + out));
      const { size, feeds } = someRows(base);
      const adapted = await opened(t, logitsGraph(base, layout, size), base.read);
      const alone = await opened(t, baseGraph(base, size), base.read);
      close((await adapted.run({ ...feeds, parameters })).logits!, (await alone.run(feeds)).logits!, "logits");
    });

    it("gives the logits of a model to whose weights alpha / r B A was added", async (t) => {
      const base = await smallBase(t, name);
      const layout = adapterLayout(adaptableLayers(base), rank);
      const parameters = randomParameters(layout, 2);
      const { size, feeds } = someRows(base);
      const adapted = await opened(t, logitsGraph(base, layout, size), base.read);
      const merged = await opened(t, baseGraph(base, size), (tensor) => {
        const weight = base.read(tensor);
        const entry = layout.entries.find((entry) => entry.name === tensor);
        if (!entry) return weight;
        const [a, b] = [entry.start, entry.start + rank.r * entry.in];
        return weight.map((number, at) => {
          const [row, column] = [Math.floor(at / entry.in), at % entry.in];
          let change = 0;
          for (let k = 0; k < rank.r; k++)
            change += parameters[b + row * rank.r + k]! * parameters[a + k * entry.in + column]!;
          return number + (rank.alpha / rank.r) * change;
        });
      });
      close((await adapted.run({ ...feeds, parameters })).logits!, (await merged.run(feeds)).logits!, "logits");
    });

    it("has the gradient of one batch where its rows come in several", async (t) => {
      const base = await smallBase(t, name);
      const rows = pack(randomSamples(base, { count: 12, longest: LENGTH, seed: 3 }), LENGTH).slice(0, 4);
      assert.equal(rows.length, 4);
      const whole = await gradientOf(t, base, [rows]);
      for (const parts of [
        rows.map((row) => [row]),
        [rows.slice(0, 2), rows.slice(2)],
        [rows.slice(0, 3), rows.slice(3)],
      ])
        sameGradient(await gradientOf(t, base, parts), whole);
    });

    it("has the gradient of samples in rows of their own where several stand in a row", async (t) => {
      const base = await smallBase(t, name);
      const samples = randomSamples(base, { count: 12, longest: LENGTH / 2, seed: 4 });
      const packed = pack(samples, LENGTH);
      assert(packed.length < samples.length / 1.5, `${packed.length} rows`);
      const alone = samples.flatMap((sample) => pack([sample], LENGTH));
      sameGradient(await gradientOf(t, base, [packed]), await gradientOf(t, base, [alone]));
    });

    for (const precision of ["float32", "int8"] as const)
      it(`computes the same numbers in ${precision}, to the bit, whatever is computed twice`, async (t) => {
        const base = await smallBase(t, name);
        const layout = adapterLayout(adaptableLayers(base), rank);
        const { size, feeds } = someRows(base);
        const given = { ...feeds, ...firstStep(randomParameters(layout, 5), { apply: true }) };
        const results: Results[] = [];
        for (const kept of ["everything", "products", "inputs"] as const) {
          const graph = stepGraph(base, layout, size, adamW, 0, kept);
          results.push(await (await opened(t, graph, base.read, precision)).run(given));
        }
        assert.deepEqual(results[1], results[0]);
        assert.deepEqual(results[2], results[0]);
      });

    it("learns one batch by heart", async (t) => {
      const small = await smallBase(t, name);
      // The small models' output embedding is so small that no hidden state could make a token probable.
      const output = small.tensors.has("output.weight") ? "output.weight" : "token_embd.weight";
      const base: Base = {
        ...small,
        read: (tensor) => (tensor === output ? small.read(tensor).map((number) => 20 * number) : small.read(tensor)),
      };
      const folder = await folderFor(t);
      const { curve } = await trainAdapter({
        base,
        samples: [{ tokens: [7, 3, 200, 41, 5, 99, 250, 17, 6, 300, 12, 77], supervisedFrom: 1 }],
        heldOut: [],
        settings: {
          ...defaultSettings,
          r: 16,
          alpha: 32,
          learningRate: 2e-2,
          length: 12,
          batch: 1,
          steps: 600,
          evaluateEvery: 600,
        },
        folder,
        checkpoint: `${folder}/checkpoint`,
        precision: "float32",
        threads: 1,
        memoryBytes: 2e9,
      });
      const losses = curve.flatMap(({ loss }) => loss ?? []);
      assert(losses[0]! > Math.log(100), `it began at ${losses[0]}`);
      assert(losses.at(-1)! < 0.1, `it came to ${losses.at(-1)}`);
    });
  });

/** The logits of every place without an adapter. */
function baseGraph(base: Base, size: { batch: number; length: number }): Graph {
  const g = new Graph();
  const { hidden, embedding } = hiddenStates(g, base, batchInputs(g, size));
  g.output("logits", g.one("project", [hidden, embedding]));
  return g;
}

function someRows(base: OpenedBase) {
  const rows = pack(randomSamples(base, { count: 9, longest: LENGTH, seed: 6 }), LENGTH).slice(0, 3);
  const size = { batch: rows.length, length: LENGTH, supervised: mostSupervised(rows, rows.length) };
  return { size, feeds: { ...feedsOf(rows, size, 1 / size.supervised) } };
}

/** The loss and the gradient of a batch whose rows go through the model in parts. */
async function gradientOf(t: TestContext, base: OpenedBase, parts: readonly PackedRow[][]) {
  const batch = Math.max(...parts.map((rows) => rows.length));
  const size = { batch, length: LENGTH, supervised: mostSupervised(parts.flat(), batch) };
  const layout = adapterLayout(adaptableLayers(base), rank);
  const step = await opened(t, stepGraph(base, layout, size, adamW, 0), base.read);
  const asked = parts.flat().reduce((sum, row) => sum + row.supervised, 0);
  let loss = 0;
  let accumulated: Float32Array = new Float32Array(layout.size);
  for (const rows of parts) {
    const given = { ...firstStep(randomParameters(layout, 7), { apply: false }), accumulated };
    const results = await step.run({ ...feedsOf(rows, size, 1 / asked), ...given });
    loss += results.loss![0]!;
    accumulated = results["next.accumulated"] as Float32Array;
  }
  return { loss: Float32Array.of(loss), gradient: accumulated };
}

type Gradient = Awaited<ReturnType<typeof gradientOf>>;

function sameGradient(actual: Gradient, expected: Gradient): void {
  assert(expected.gradient.some((number) => Math.abs(number) > 0.01));
  close(actual.loss, expected.loss, "loss");
  close(actual.gradient, expected.gradient, "gradient");
}

/** As far apart as rounding takes sums of numbers as large as the largest. */
function close(actual: Results[string], expected: Results[string], what: string): void {
  assert.equal(actual.length, expected.length, what);
  const largest = Math.max(1, ...expected.map(Math.abs));
  for (const [at, a] of actual.entries())
    assert(
      Math.abs(a - expected[at]!) <= TOLERANCE * largest,
      `${what}, number ${at}: ${a} instead of ${expected[at]}`,
    );
}
