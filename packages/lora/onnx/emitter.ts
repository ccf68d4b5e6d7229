import { elements, type Graph, type Node, type Value } from "../graph/graph.ts";
import type { Attribute, Element, Initializer, OnnxModel, OnnxNode } from "./model.ts";

export type Precision = "float64" | "float32" | "int8";

/**
 * How a frozen tensor is used, and so laid out: `rows` as it is, (out, in) or a table; the others in 8-bit integers
 * (quantise.ts): `forward` (in, out), one scale for each out; `backward` (out, in), one scale for each in; `mixture` as
 * backward, for rows that are not spread (projections.ts).
 */
export type Layout = "rows" | "forward" | "backward" | "mixture";

/** Where frozen tensors' bytes are. */
export interface FrozenTensors {
  /** The initializers of one tensor in one layout: itself, and its scales where it is in integers. */
  place(
    names: readonly string[],
    shape: readonly number[],
    layout: Layout,
    element: "float32" | "float64",
  ): FrozenPlace;
}

export interface FrozenPlace {
  tensor: Initializer;
  scales?: Initializer;
}

export type Lowering = (emitter: Emitter, node: Node) => void;

interface NodeOptions {
  output?: string;
  domain?: string;
  attributes?: Readonly<Record<string, Attribute>>;
}

/** One side of a product of matrices. */
export interface Factor {
  name: string;
  shape: readonly number[];
  /** Its last two axes are exchanged. */
  transpose?: boolean;
}

/** Collects the nodes and constants of an ONNX model while a graph is lowered. */
export class Emitter {
  readonly precision: Precision;
  /** Whether all rows that are quantised take two digits. */
  readonly twoDigits: boolean;
  readonly #real: "float32" | "float64";
  readonly #graph: Graph;
  readonly #frozen: FrozenTensors;
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, Initializer>();
  readonly #once = new Map<string, string>();
  readonly #read: ReadonlySet<Value>;
  #named = 0;

  constructor(graph: Graph, precision: Precision, frozen: FrozenTensors, twoDigits: boolean) {
    this.precision = precision;
    this.twoDigits = twoDigits;
    this.#real = precision === "float64" ? "float64" : "float32";
    this.#graph = graph;
    this.#frozen = frozen;
    this.#read = new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.outputs.values()]);
    for (const { value, data } of graph.constants.values()) {
      const typed = data instanceof BigInt64Array || this.#real === "float64" ? data : Float32Array.from(data);
      const element = data instanceof BigInt64Array ? "int64" : this.#real;
      this.#initializers.set(`v${value.id}`, {
        name: `v${value.id}`,
        element,
        shape: value.shape,
        bytes: bytesOf(typed),
      });
    }
  }

  /** What a value is called in the model. A frozen tensor's rows are placed when they are first read. */
  name(value: Value | undefined): string {
    if (!value) throw new Error("An input is missing.");
    const frozen = this.#graph.frozen.get(value.id);
    return frozen ? this.frozen(value, "rows").tensor : `v${value.id}`;
  }

  /** Whether an operation or an output reads a value; what nothing reads need not be computed. */
  isRead(value: Value): boolean {
    return this.#read.has(value);
  }

  /** The names of a frozen tensor and of its scales, in one layout, and whether its integers stand around 128. */
  frozen(value: Value, layout: Layout): { tensor: string; scales: string; unsigned: boolean } {
    const known = this.#graph.frozen.get(value.id);
    if (!known) throw new Error(`Value ${value.id} is not a frozen tensor.`);
    const place = this.#frozen.place(known.names, value.shape, layout, this.#real);
    for (const initializer of [place.tensor, ...(place.scales ? [place.scales] : [])])
      this.#initializers.set(initializer.name, initializer);
    const unsigned = place.tensor.element === "uint8";
    return { tensor: place.tensor.name, scales: place.scales?.name ?? "", unsigned };
  }

  node(operator: string, inputs: readonly string[], { output, domain, attributes }: NodeOptions = {}): string {
    const name = output ?? `t${this.#named++}`;
    this.#nodes.push({
      operator,
      inputs,
      outputs: [name],
      ...(domain ? { domain } : {}),
      ...(attributes ? { attributes } : {}),
    });
    return name;
  }

  /** One ONNX node for one node of the graph, with all its outputs. */
  whole(operator: string, node: Node, attributes: Readonly<Record<string, Attribute>>): void {
    this.#nodes.push({
      operator,
      inputs: node.inputs.map((input) => this.name(input)),
      outputs: node.outputs.map((output) => this.name(output)),
      attributes,
    });
  }

  /**
   * A product of two tensors of as many axes. A transposed left factor is packed slowly: where it is the larger one, the
   * product is made the other way round, and its transpose is the result. float64 knows no fused operator: there
   * transposes stand alone.
   */
  product(a: Factor, b: Factor, { factor = 1, output }: { factor?: number; output?: string } = {}): string {
    const named = output === undefined ? {} : { output };
    if (this.precision !== "float64") {
      if (!a.transpose && !b.transpose && factor === 1) return this.node("MatMul", [a.name, b.name], named);
      if (a.transpose && elements(a.shape) > elements(b.shape))
        return this.#exchanged(
          this.#fusedProduct({ ...b, transpose: !b.transpose }, { ...a, transpose: false }, factor),
          a.shape.length,
          named,
        );
      return this.#fusedProduct(a, b, factor, named);
    }
    const plain = (x: Factor) => (x.transpose ? this.#exchanged(x.name, x.shape.length) : x.name);
    return this.node("Mul", [this.node("MatMul", [plain(a), plain(b)]), this.real(factor)], named);
  }

  #fusedProduct(a: Factor, b: Factor, factor: number, named: { output?: string } = {}): string {
    return this.node("FusedMatMul", [a.name, b.name], {
      domain: "com.microsoft",
      attributes: {
        transA: { int: Number(a.transpose ?? false) },
        transB: { int: Number(b.transpose ?? false) },
        alpha: { float: factor },
      },
      ...named,
    });
  }

  /** The last two axes exchanged. */
  #exchanged(x: string, axes: number, named: { output?: string } = {}): string {
    const perm = Array.from({ length: axes }, (_, axis) => axis);
    [perm[axes - 1], perm[axes - 2]] = [axes - 2, axes - 1];
    return this.node("Transpose", [x], { attributes: { perm: { ints: perm } }, ...named });
  }

  slice(x: string, axis: number, start: number, end: number, output?: string): string {
    const bounds = [this.integers([start]), this.integers([end]), this.integers([axis])];
    return this.node("Slice", [x, ...bounds], output === undefined ? {} : { output });
  }

  /** Over one axis, which stays with size 1. */
  reduce(operator: string, x: string, axis: number, output?: string): string {
    return this.node(operator, [x, this.integers([axis])], {
      attributes: { keepdims: { int: 1 } },
      ...(output === undefined ? {} : { output }),
    });
  }

  real(value: number): string {
    const data = this.#real === "float64" ? Float64Array.of(value) : Float32Array.of(value);
    return this.#constant(`real ${value}`, { element: this.#real, shape: [], bytes: bytesOf(data) });
  }

  reals(values: readonly number[], shape: readonly number[]): string {
    const data = this.#real === "float64" ? Float64Array.from(values) : Float32Array.from(values);
    return this.#constant(`reals ${shape}: ${values}`, { element: this.#real, shape, bytes: bytesOf(data) });
  }

  integers(values: readonly number[]): string {
    const bytes = bytesOf(BigInt64Array.from(values, BigInt));
    return this.#constant(`integers ${values}`, { element: "int64", shape: [values.length], bytes });
  }

  int32(value: number): string {
    return this.#constant(`int32 ${value}`, { element: "int32", shape: [], bytes: bytesOf(Int32Array.of(value)) });
  }

  uint8(value: number): string {
    return this.#constant(`uint8 ${value}`, { element: "uint8", shape: [], bytes: Uint8Array.of(value) });
  }

  /** What `make` returns the first time it is asked for under this key. */
  once(key: string, make: () => string): string {
    const name = this.#once.get(key) ?? make();
    this.#once.set(key, name);
    return name;
  }

  finish(): OnnxModel {
    const info = (element: Element, name: string, value: Value) => ({ name, element, shape: value.shape });
    const elementOf = (value: Value): Element => (value.type === "int64" ? "int64" : this.#real);
    const named = [...this.#graph.inputs].map(([name, value]) => ({
      operator: "Identity",
      inputs: [name],
      outputs: [`v${value.id}`],
    }));
    const results = [...this.#graph.outputs].map(([name, value]) => ({
      operator: "Identity",
      inputs: [this.name(value)],
      outputs: [name],
    }));
    return {
      nodes: [...named, ...this.#nodes, ...results],
      inputs: [...this.#graph.inputs].map(([name, value]) => info(elementOf(value), name, value)),
      outputs: [...this.#graph.outputs].map(([name, value]) => info(elementOf(value), name, value)),
      initializers: [...this.#initializers.values()],
    };
  }

  #constant(key: string, tensor: { element: Element; shape: readonly number[]; bytes: Uint8Array }): string {
    return this.once(key, () => {
      const name = `c${this.#initializers.size}`;
      this.#initializers.set(name, { name, ...tensor });
      return name;
    });
  }
}

function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
