import { elements, type Graph, type Value } from "./graph.ts";

/** These give their input's bytes another shape. */
const ALIASES: ReadonlySet<string> = new Set(["reshape", "after"]);
/** A cross-entropy's logits and probabilities are in memory for so many rows at a time, and in so many copies. */
const LOGIT_ROWS = 256;
const LOGIT_COPIES = 4;

/**
 * How many bytes of values a graph holds at the most, where its nodes run in their order, each value is dropped after
 * its last use, and a real takes `realBytes`. Frozen tensors are not counted: they are mapped.
 */
export function peakMemory(graph: Graph, realBytes: number): number {
  const owner = new Map<Value, Value>();
  const ownerOf = (value: Value): Value => owner.get(value) ?? value;
  const lastUse = new Map<Value, number>();
  graph.nodes.forEach((node, at) => {
    if (ALIASES.has(node.operation)) owner.set(node.outputs[0] as Value, ownerOf(node.inputs[0] as Value));
    for (const input of node.inputs) lastUse.set(ownerOf(input), at);
  });
  for (const value of [...graph.outputs.values(), ...graph.inputs.values()])
    lastUse.set(ownerOf(value), graph.nodes.length);
  const bytesOf = (value: Value) => elements(value.shape) * (value.type === "int64" ? 8 : realBytes);
  let held = [...graph.inputs.values()].reduce((sum, value) => sum + bytesOf(value), 0);
  let peak = held;
  const droppedAfter = Map.groupBy(lastUse, ([, at]) => at);
  const counted = (value: Value) => !graph.frozen.has(value.id) && !graph.constants.has(value.id);
  graph.nodes.forEach((node, at) => {
    if (!ALIASES.has(node.operation)) for (const output of node.outputs) held += bytesOf(output);
    const [, embedding] = node.operation === "crossEntropy" ? node.inputs : [];
    const logits = embedding ? LOGIT_COPIES * LOGIT_ROWS * (embedding.shape[0] as number) * realBytes : 0;
    peak = Math.max(peak, held + logits);
    for (const [value] of droppedAfter.get(at) ?? []) if (counted(value)) held -= bytesOf(value);
  });
  return peak;
}
