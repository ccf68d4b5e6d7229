import type { Graph, Node, Segment, Value } from "../graph/graph.ts";
import type { OperationName } from "../graph/operations.ts";

/**
 * What is kept from the forward pass for the backward pass: `everything`; the `products`, which are dear to compute, while
 * what lies between them is computed again; or only the `inputs` of the layers (Chen et al. 2016).
 */
export type Kept = "everything" | "products" | "inputs";

const PRODUCTS: ReadonlySet<OperationName> = new Set(["project"]);

/**
 * The nodes of a segment as its way back reads them: what is not kept is computed a second time, once the gradient of the
 * segment's end is there and not before, since else it would only be kept longer.
 */
export function recomputed(graph: Graph, { start, end }: Segment, kept: Kept, moment: Value): Map<Node, Node> {
  const nodes = graph.nodes.slice(start, end);
  const made = new Set(nodes.flatMap((node) => node.outputs));
  const again = new Map<Value, Value>();
  const later = new Map<Value, Value>();
  /** A value from the first time; what stands for it in the second. */
  const second = (value: Value): Value => {
    const known = again.get(value) ?? later.get(value);
    if (known || value.type !== "real" || graph.frozen.has(value.id) || graph.constants.has(value.id))
      return known ?? value;
    if (!made.has(value) && value !== graph.nodes[start]?.inputs[0]) return value;
    const waiting = graph.one("after", [value, moment]);
    later.set(value, waiting);
    return waiting;
  };
  const stand = new Map<Node, Node>();
  for (const node of nodes) {
    const keep = kept === "products" && PRODUCTS.has(node.operation);
    const inputs = node.inputs.map(second);
    const outputs = keep ? node.outputs : graph.apply(node.operation, inputs, node.attributes);
    if (!keep) for (const [at, output] of node.outputs.entries()) again.set(output, outputs[at] as Value);
    stand.set(node, { ...node, inputs, outputs });
  }
  return stand;
}
