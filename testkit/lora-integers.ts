import type { TestContext } from "node:test";
import type { Base } from "@caigun/lora";
import { adapterLayout } from "../packages/lora/architectures/adapter.ts";
import { adaptableLayers } from "../packages/lora/architectures/language-model.ts";
import { type FrozenTensor, Graph, type Node, type Value } from "../packages/lora/graph/graph.ts";
import { feedsOf, pack } from "../packages/lora/training/packing.ts";
import { defaultSettings } from "../packages/lora/training/settings.ts";
import { stepGraph } from "../packages/lora/training/step-graph.ts";
import { firstStep, opened, openGraph, randomParameters, randomSamples } from "./lora-training.ts";
import { seededRandom } from "./random.ts";

const PRODUCTS: ReadonlySet<string> = new Set(["project", "projectBack", "crossEntropy"]);

export type ProductError = { product: string; error: number };

/**
 * For each product with frozen weights in a training step, the relative Frobenius error in 8-bit integers against fp32.
 * `onOwn`: of what a step in fp32 on `tokens`, or on random ones, puts into each; `onNormal`: of normally distributed
 * numbers.
 */
export async function integerErrors(
  t: TestContext,
  base: Base,
  { length, tokens }: { length: number; tokens?: readonly number[] },
): Promise<{ onOwn: ProductError[]; onNormal: ProductError[] }> {
  const layout = adapterLayout(adaptableLayers(base), { r: 4, alpha: 8 });
  const random = randomSamples(base, { count: 9, longest: length, seed: 8 });
  const rows = pack(tokens ? [{ tokens, supervisedFrom: 1 }] : random, length).slice(0, 2);
  const supervised = rows.reduce((sum, row) => sum + row.supervised, 0);
  const size = { batch: rows.length, length, supervised };
  const step = stepGraph(base, layout, size, defaultSettings.adamW, 0);

  // The step, which also gives what goes into each product.
  const products = step.nodes.filter(({ operation }) => PRODUCTS.has(operation));
  const shown = new Set(products.flatMap(({ inputs }) => inputs).filter((value) => !step.frozen.has(value.id)));
  for (const value of shown) step.output(nameOf(value), value);
  const parameters = randomParameters(layout, 9).map((number) => number / 20);
  const given = { ...feedsOf(rows, size, 1 / supervised), ...firstStep(parameters, { apply: false }) };
  const values = await (await opened(t, step, base.read)).run(given);
  const normal = normalNumbers(10);

  const [onOwn, onNormal]: ProductError[][] = [[], []];
  for (const { operation, inputs, attributes } of products.flatMap(withForward)) {
    const { names } = step.frozen.get((inputs[1] as Value).id) as FrozenTensor;
    const g = new Graph();
    const again = inputs.map((input) =>
      step.frozen.has(input.id) ? g.frozenTensor(names, input.shape) : g.input(nameOf(input), input.shape, input.type),
    );
    g.output("result", g.apply(operation, again, attributes).at(-1) as Value);
    const own = Object.fromEntries([...g.inputs.keys()].map((name) => [name, values[name] as Float32Array]));
    const first = nameOf(inputs[0] as Value);
    const fed = [own, { ...own, [first]: own[first]!.map(normal) }];
    const [inFloats, inIntegers] = await Promise.all(
      (["float32", "int8"] as const).map(async (precision) => {
        const { session, close } = await openGraph(g, base.read, precision);
        const results = [];
        for (const feeds of fed) results.push((await session.run(feeds)).result as Float32Array);
        await close();
        return results;
      }),
    );
    const product = `${operation} ${names}`;
    onOwn!.push({ product, error: relativeError(inIntegers![0]!, inFloats![0]!) });
    onNormal!.push({ product, error: relativeError(inIntegers![1]!, inFloats![1]!) });
  }
  return { onOwn: onOwn!, onNormal: onNormal! };
}

/** The output layer's logits are a product of their own, within the cross-entropy. */
function withForward(node: Node): Pick<Node, "operation" | "inputs" | "attributes">[] {
  if (node.operation !== "crossEntropy") return [node];
  return [{ operation: "project", inputs: node.inputs.slice(0, 2), attributes: {} }, node];
}

const nameOf = ({ id }: Value) => `value ${id}`;

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let [distance, norm] = [0, 0];
  for (const [at, number] of expected.entries()) {
    distance += (actual[at]! - number) ** 2;
    norm += number ** 2;
  }
  return Math.sqrt(distance / norm);
}

/** Of mean 0 and deviation 1 (Box and Muller 1958). */
function normalNumbers(seed: number): () => number {
  const random = seededRandom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
