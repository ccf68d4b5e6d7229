import { checkGraph, describe, type Graph, type Node, type Value } from "./graph.ts";

/**
 * Makes one pass over memory of two: where a product of matrices is only added to something, matmulAdd writes the sum at
 * once. The sum stays the same value, so that nothing that reads it changes. Nodes that no output needs are dropped.
 */
export function fuse(graph: Graph): void {
  const uses = new Map<Value, number>();
  const use = (value: Value) => uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) for (const input of node.inputs) use(input);
  for (const value of graph.outputs.values()) use(value);
  const products = new Map<Value, Node>();
  const absorbed = new Set<Node>();
  const nodes = graph.nodes.map((node): Node => {
    if (node.operation === "matmul" && node.inputs[0]?.shape.length === 2) products.set(node.outputs[0] as Value, node);
    if (node.operation !== "add") return node;
    const [left, right] = node.inputs as [Value, Value];
    for (const [product, other] of [
      [right, left],
      [left, right],
    ] as const) {
      const made = products.get(product);
      if (!made || uses.get(product) !== 1 || describe(product.shape) !== describe(other.shape)) continue;
      absorbed.add(made);
      return {
        operation: "matmulAdd",
        inputs: [...made.inputs, other],
        outputs: node.outputs,
        attributes: made.attributes,
      };
    }
    return node;
  });
  const kept = nodes.filter((node) => !absorbed.has(node));
  graph.nodes.splice(0, graph.nodes.length, ...needed(graph, kept));
  checkGraph(graph);
}

/** The nodes on which an output depends, in their order. */
function needed(graph: Graph, nodes: readonly Node[]): Node[] {
  const wanted = new Set<Value>(graph.outputs.values());
  const kept: Node[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    for (const input of node.inputs) wanted.add(input);
    kept.push(node);
  }
  return kept.reverse();
}
