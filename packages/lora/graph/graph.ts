import { type Attributes, type OperationName, operations } from "./operations.ts";

/** What a value's elements are: a real is a float32, or a float64 where gradients are checked. */
export type ElementType = "real" | "int64";

/** A tensor in the graph; its shape is known before anything runs. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly type: ElementType;
}

/** A tensor of the base model that stays as it is. Several are laid one under the other, along the first axis. */
export interface FrozenTensor {
  value: Value;
  names: readonly string[];
}

export interface Constant {
  value: Value;
  data: Float64Array | BigInt64Array;
}

export interface Node {
  readonly operation: OperationName;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Attributes;
}

/** Nodes from `start` up to `end`. */
export interface Segment {
  input: Value;
  start: number;
  end: number;
}

/**
 * A computation as a list of operations in an order in which they can run. It is built by calling the operations
 * (operations.ts); each call infers the shapes of its outputs and refuses shapes that do not fit.
 */
export class Graph {
  readonly nodes: Node[] = [];
  readonly inputs = new Map<string, Value>();
  readonly outputs = new Map<string, Value>();
  readonly frozen = new Map<number, FrozenTensor>();
  readonly constants = new Map<number, Constant>();
  /** Stretches of nodes, layer by layer, whose values can be computed a second time from their one input. */
  readonly segments: Segment[] = [];
  readonly #frozenByName = new Map<string, Value>();
  readonly #constantsByContent = new Map<string, Value>();
  #values = 0;

  input(name: string, shape: readonly number[], type: ElementType = "real"): Value {
    if (this.inputs.has(name)) throw new Error(`The graph already has an input "${name}".`);
    const value = this.#value(shape, type);
    this.inputs.set(name, value);
    return value;
  }

  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new Error(`The graph already has an output "${name}".`);
    this.outputs.set(name, value);
  }

  frozenTensor(names: readonly string[], shape: readonly number[]): Value {
    const known = this.#frozenByName.get(names.join("\n"));
    if (known) return known;
    const value = this.#value(shape, "real");
    this.frozen.set(value.id, { value, names });
    this.#frozenByName.set(names.join("\n"), value);
    return value;
  }

  constant(data: readonly number[], shape: readonly number[], type: ElementType = "real"): Value {
    const content = JSON.stringify([data, shape, type]);
    const known = this.#constantsByContent.get(content);
    if (known) return known;
    const value = this.#value(shape, type);
    const typed = type === "real" ? Float64Array.from(data) : BigInt64Array.from(data, BigInt);
    if (typed.length !== elements(shape)) throw new Error(`${typed.length} numbers do not fill ${describe(shape)}.`);
    this.constants.set(value.id, { value, data: typed });
    this.#constantsByContent.set(content, value);
    return value;
  }

  scalar(value: number): Value {
    return this.constant([value], []);
  }

  /** Adds an operation; throws where its rule refuses the shapes. */
  apply(operation: OperationName, inputs: readonly Value[], attributes: Attributes = {}): Value[] {
    const outputs = inferOutputs(operation, inputs, attributes).map(({ shape, type }) => this.#value(shape, type));
    this.nodes.push({ operation, inputs, outputs, attributes });
    return outputs;
  }

  /** The same for an operation of one output. */
  one(operation: OperationName, inputs: readonly Value[], attributes: Attributes = {}): Value {
    const [output, ...others] = this.apply(operation, inputs, attributes);
    if (!output || others.length > 0) throw new Error(`${operation} has ${others.length + 1} outputs, not one.`);
    return output;
  }

  /** What follows, up to the next call, is a stretch of its own that begins at `input`. */
  beginSegment(input: Value): void {
    this.endSegments();
    this.segments.push({ input, start: this.nodes.length, end: this.nodes.length });
  }

  endSegments(): void {
    const last = this.segments.at(-1);
    if (last && last.end === last.start) last.end = this.nodes.length;
  }

  #value(shape: readonly number[], type: ElementType): Value {
    return { id: this.#values++, shape, type };
  }
}

/**
 * Throws unless every node's inputs come before it and every shape is what its operation's rule says. Run after each
 * pass that changes a graph.
 */
export function checkGraph(graph: Graph): void {
  const known = new Set([
    ...graph.inputs.values(),
    ...[...graph.frozen.values(), ...graph.constants.values()].map((c) => c.value),
  ]);
  for (const node of graph.nodes) {
    const missing = node.inputs.find((input) => !known.has(input));
    if (missing) throw new Error(`${node.operation} reads value ${missing.id} before it is computed.`);
    const expected = inferOutputs(node.operation, node.inputs, node.attributes);
    node.outputs.forEach((output, at) => {
      if (describe(output.shape) !== describe(expected[at]?.shape ?? []))
        throw new Error(
          `${node.operation} gives ${describe(expected[at]?.shape ?? [])}, not ${describe(output.shape)}.`,
        );
      known.add(output);
    });
  }
  for (const [name, value] of graph.outputs)
    if (!known.has(value)) throw new Error(`The output "${name}" is not computed.`);
}

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function describe(shape: readonly number[]): string {
  return `(${shape.join(", ")})`;
}

function inferOutputs(operation: OperationName, inputs: readonly Value[], attributes: Attributes) {
  try {
    return operations[operation](inputs, attributes);
  } catch (error) {
    const shapes = inputs.map((input) => describe(input.shape)).join(", ");
    throw new Error(`${operation} of ${shapes}: ${error instanceof Error ? error.message : error}`);
  }
}
