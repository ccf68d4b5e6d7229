import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { adapterLayout } from "../architectures/adapter.ts";
import { adaptableLayers } from "../architectures/language-model.ts";
import { type OpenedBase, openBase } from "../base/open-base.ts";
import type { Graph } from "../graph/graph.ts";
import { FrozenFile } from "../onnx/frozen-file.ts";
import { lower } from "../onnx/lower.ts";
import { Session } from "../onnx/session.ts";
import { logitsGraph, stepGraph } from "./step-graph.ts";

const TOLERANCE = 5e-6;
const goldens = new URL("../goldens/", import.meta.url);
const golden = JSON.parse(await readFile(new URL("training.json", goldens), "utf8"));

describe("adapters, as PyTorch and PEFT compute them (testkit/goldens/lora_training.py)", () => {
  for (const name of ["tiny-gpt2", "tiny-llama"]) {
    it(`${name}: logits, every gradient and ten losses of AdamW`, async (t) => {
      const expected = golden.models[name];
      const base = await openBase(new URL(`${name}/`, goldens).pathname);
      t.after(() => base.close());
      const layout = adapterLayout(adaptableLayers(base), golden);
      assert.deepEqual(
        layout.entries.map((entry) => entry.name),
        expected.names,
      );
      const parameters = decoded(expected.parameters);
      assert.equal(parameters.length, layout.size);

      const [batch, length] = [expected.tokens.length, expected.tokens[0].length];
      const integers = (numbers: number[]) => BigInt64Array.from(numbers, BigInt);
      const places = Array.from({ length: batch * length }, (_, at) => at);
      const inputs = {
        tokens: integers(expected.tokens.flat()),
        positions: integers(places.map((place) => place % length)),
        segments: new BigInt64Array(batch * length),
      };
      const logits = await opened(t, base, logitsGraph(base, layout, { batch, length }));
      close((await logits.run({ ...inputs, parameters })).logits, decoded(expected.logits), "logits");

      const rows = places.filter((place) => place % length < length - 1);
      const adamW = {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: golden.weightDecay,
        maxGradientNorm: golden.maxGradientNorm,
      };
      const step = await opened(t, base, stepGraph(base, layout, { batch, length, supervised: rows.length }, adamW, 0));
      const asked = {
        rows: integers(rows),
        targets: integers(rows.map((row) => expected.tokens.flat()[row + 1])),
        weights: new Float32Array(rows.length).fill(1 / rows.length),
      };
      const nothing = () => new Float32Array(layout.size);
      let state: Record<string, Float32Array> = { parameters, firstMoment: nothing(), secondMoment: nothing() };
      const run = (number: number, apply: number) =>
        step.run({
          ...inputs,
          ...asked,
          ...(state as { parameters: Float32Array; firstMoment: Float32Array; secondMoment: Float32Array }),
          accumulated: nothing(),
          learningRate: Float32Array.of(golden.learningRate),
          correction1: Float32Array.of(1 - 0.9 ** number),
          correction2: Float32Array.of(1 - 0.999 ** number),
          apply: Float32Array.of(apply),
        });
      // Without applying it, a step gives back the gradient as it is accumulated.
      close((await run(1, 0))["next.accumulated"], decoded(expected.gradients), "gradient");
      for (const [at, loss] of expected.losses.entries()) {
        const results = await run(at + 1, 1);
        close(results.loss, [loss], `loss of step ${at + 1}`);
        close(results.gradientNorm, [expected.norms[at]], `gradient norm of step ${at + 1}`);
        state = Object.fromEntries(Object.keys(state).map((key) => [key, results[`next.${key}`] as Float32Array]));
      }
    });
  }
});

async function opened(t: TestContext, base: OpenedBase, graph: Graph): Promise<Session> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-lora-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = new FrozenFile(join(folder, "frozen"), (name) => base.read(name));
  const session = await Session.open(folder, "model", lower(graph, "float32", file), { threads: 1 });
  file.close();
  t.after(() => session.close());
  return session;
}

function close(actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, what: string): void {
  assert.equal(actual?.length, expected.length, what);
  for (let at = 0; at < expected.length; at++) {
    const [a, b] = [actual?.[at] as number, expected[at] as number];
    assert(Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b)), `${what}, number ${at}: ${a} instead of ${b}`);
  }
}

function decoded(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return new Float32Array(new Uint8Array(bytes).buffer);
}
