import type { TestContext } from "node:test";
import type { OpenedBase } from "@caigun/lora";
import { adapterLayout } from "../packages/lora/architectures/adapter.ts";
import { adaptableLayers } from "../packages/lora/architectures/language-model.ts";
import { Graph, type Value } from "../packages/lora/graph/graph.ts";
import { feedsOf, pack } from "../packages/lora/training/packing.ts";
import { defaultSettings } from "../packages/lora/training/settings.ts";
import { stepGraph } from "../packages/lora/training/step-graph.ts";
import { firstStep, opened, randomParameters, randomSamples } from "./lora-training.ts";

const PRODUCTS: ReadonlySet<string> = new Set(["project", "projectBack", "crossEntropy"]);

/**
 * For each product with frozen weights in a training step, the relative Frobenius error in 8-bit integers. What goes
 * into each is what fp32 gives it in a step on `tokens`, or on random ones.
 */
export async function integerErrors(
  t: TestContext,
  base: OpenedBase,
  { length, tokens }: { length: number; tokens?: readonly number[] },
): Promise<{ product: string; error: number }[]> {
  const layout = adapterLayout(adaptableLayers(base), { r: 4, alpha: 8 });
  const random = randomSamples(base, { count: 9, longest: length, seed: 8 });
  const rows = pack(tokens ? [{ tokens, supervisedFrom: 1 }] : random, length).slice(0, 2);
  const supervised = rows.reduce((sum, row) => sum + row.supervised, 0);
  const size = { batch: rows.length, length, supervised };
  const step = stepGraph(base, layout, size, defaultSettings.adamW, 0);

  // The step in fp32, which also gives what goes into each product and comes out of it.
  const products = step.nodes.filter(({ operation }) => PRODUCTS.has(operation));
  const shown = new Set(products.flatMap(({ inputs, outputs }) => [...inputs, outputs.at(-1) as Value]));
  for (const value of shown) if (!step.frozen.has(value.id)) step.output(`v${value.id}`, value);
  const session = await opened(t, step, base.read);
  const parameters = randomParameters(layout, 9).map((number) => number / 20);
  const values = await session.run({
    ...feedsOf(rows, size, 1 / supervised),
    ...firstStep(parameters, { apply: false }),
  });

  const errors: { product: string; error: number }[] = [];
  for (const { operation, inputs, outputs } of products) {
    const g = new Graph();
    const weight = step.frozen.get((inputs[1] as Value).id)!;
    const given = inputs.map((input) =>
      step.frozen.has(input.id)
        ? g.frozenTensor(weight.names, input.shape)
        : g.input(`v${input.id}`, input.shape, input.type),
    );
    g.output("result", g.apply(operation, given).at(-1) as Value);
    const alone = await opened(t, g, base.read, "int8");
    const feeds = Object.fromEntries([...g.inputs.keys()].map((name) => [name, values[name] as Float32Array]));
    const { result } = await alone.run(feeds);
    await alone.close();
    const expected = values[`v${(outputs.at(-1) as Value).id}`] as Float32Array;
    errors.push({ product: `${operation} ${weight.names}`, error: relativeError(result as Float32Array, expected) });
  }
  return errors;
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let [distance, norm] = [0, 0];
  for (const [at, number] of expected.entries()) {
    distance += (actual[at]! - number) ** 2;
    norm += number ** 2;
  }
  return Math.sqrt(distance / norm);
}
