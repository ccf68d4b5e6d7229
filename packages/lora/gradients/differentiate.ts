import { add } from "../graph/build.ts";
import { checkGraph, type Graph, type Node, type Value } from "../graph/graph.ts";
import { type Kept, recomputed } from "./recompute.ts";
import { gradientRules } from "./rules.ts";

/**
 * Adds to the graph what computes the gradients of a scalar with respect to `sources`, by reverse accumulation, and
 * returns them in their order. `kept` says what the graph's segments compute a second time. Throws where an operation on the way has no rule, and where the scalar does not depend
 * on a source.
 */
export function differentiate(
  graph: Graph,
  scalar: Value,
  sources: readonly Value[],
  kept: Kept = "everything",
): Value[] {
  if (scalar.shape.length !== 0) throw new Error("Only a scalar can be differentiated.");
  const forward = [...graph.nodes];
  const needed = dependents(forward, sources);
  const gradients = new Map<Value, Value>([[scalar, graph.scalar(1)]]);
  const segmentEndingAt = new Map(graph.segments.map((segment) => [segment.end, segment]));
  const secondTime = new Map<Node, Node>();
  for (let at = forward.length - 1; at >= 0; at--) {
    const node = forward[at] as Node;
    const dys = node.outputs.map((output) => gradients.get(output));
    const segment = kept === "everything" ? undefined : segmentEndingAt.get(at + 1);
    if (segment && dys[0])
      for (const [first, second] of recomputed(graph, segment, kept, dys[0])) secondTime.set(first, second);
    if (!dys.some(Boolean) || !node.inputs.some((input) => needed.has(input))) continue;
    backThrough(graph, node, secondTime.get(node) ?? node, dys, needed, gradients);
  }
  const result = sources.map((source) => {
    const gradient = gradients.get(source);
    if (!gradient) throw new Error(`The scalar does not depend on value ${source.id}.`);
    return gradient;
  });
  checkGraph(graph);
  return result;
}

/** `values` is the node, or what stands for it where its values are computed a second time. */
function backThrough(
  graph: Graph,
  node: Node,
  values: Node,
  dys: readonly (Value | undefined)[],
  needed: ReadonlySet<Value>,
  gradients: Map<Value, Value>,
): void {
  const rule = gradientRules[node.operation];
  if (!rule) throw new Error(`There is no gradient rule for ${node.operation}.`);
  const wanted = node.inputs.map((input) => needed.has(input));
  rule(graph, values, dys, wanted).forEach((gradient, at) => {
    const input = node.inputs[at] as Value;
    if (!wanted[at]) return;
    if (!gradient) throw new Error(`${node.operation} has no gradient with respect to its input ${at}.`);
    if (gradient.shape.join() !== input.shape.join())
      throw new Error(`${node.operation} gives a gradient of shape ${gradient.shape} for an input of ${input.shape}.`);
    const sofar = gradients.get(input);
    gradients.set(input, sofar ? add(graph, sofar, gradient) : gradient);
  });
}

/** The values that depend on one of the sources. */
function dependents(nodes: readonly Node[], sources: readonly Value[]): Set<Value> {
  const found = new Set(sources);
  for (const node of nodes)
    if (node.inputs.some((input) => found.has(input))) for (const output of node.outputs) found.add(output);
  return found;
}
