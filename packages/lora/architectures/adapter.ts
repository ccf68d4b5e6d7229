import { matmul, mul, reshape } from "../graph/build.ts";
import type { Graph, Value } from "../graph/graph.ts";

/** The two factors of a change to a linear layer W (out, in): W + alpha / r B A (Hu et al. 2021). */
export interface LowRank {
  /** A (r, in) */
  a: Value;
  /** B (out, r) */
  b: Value;
}

/** Where an adapter's numbers stand in one vector. */
export interface AdapterEntry {
  /** The weight that is adapted. */
  name: string;
  out: number;
  in: number;
  /** Where A (r, in) begins; B (out, r) follows. */
  start: number;
}

export interface AdapterLayout {
  r: number;
  /** The change is multiplied by alpha / r. */
  alpha: number;
  entries: readonly AdapterEntry[];
  /** P, the number of all trained numbers. */
  size: number;
}

export function adapterLayout(
  weights: readonly { name: string; shape: readonly [number, number] }[],
  { r, alpha }: { r: number; alpha: number },
): AdapterLayout {
  let size = 0;
  const entries = weights.map(({ name, shape: [out, inner] }) => {
    const entry = { name, out, in: inner, start: size };
    size += r * (out + inner);
    return entry;
  });
  return { r, alpha, entries, size };
}

/** Dropout of an adapter's input; the noise is drawn anew for each batch. */
export interface Dropout {
  rate: number;
  /** (B T) and (widest input): random 32-bit integers. */
  rowNoise: Value;
  columnNoise: Value;
}

/** An adapter within a graph: the trained numbers as matrices, and what they add to a layer. */
export class AdapterInGraph {
  readonly #graph: Graph;
  readonly #layout: AdapterLayout;
  readonly #factors = new Map<string, LowRank>();
  readonly #dropout: Dropout | undefined;
  readonly #dropped = new Map<Value, Value>();

  /** `parameters` (P) holds the numbers that `layout` describes. */
  constructor(g: Graph, layout: AdapterLayout, parameters: Value, dropout?: Dropout) {
    this.#graph = g;
    this.#layout = layout;
    this.#dropout = dropout;
    for (const { name, out, in: inner, start } of layout.entries) {
      const matrix = (from: number, shape: readonly [number, number]) =>
        reshape(g, g.one("slice", [parameters], { axis: 0, start: from, end: from + shape[0] * shape[1] }), shape);
      this.#factors.set(name, {
        a: matrix(start, [layout.r, inner]),
        b: matrix(start + layout.r * inner, [out, layout.r]),
      });
    }
  }

  /** The matrices in the layout's order, A before B of each. */
  get factors(): Value[] {
    return this.#layout.entries.flatMap(({ name }) => {
      const { a, b } = this.#factors.get(name) as LowRank;
      return [a, b];
    });
  }

  /** y (N, out) with what the adapter adds for x (N, in): y + alpha / r (x A^T) B^T; y itself where the weight has none. */
  addTo(y: Value, x: Value, name: string): Value {
    const factors = this.#factors.get(name);
    if (!factors) return y;
    const g = this.#graph;
    const inner = matmul(g, this.#withDropout(x), factors.a, { transposeB: true });
    const change = matmul(g, inner, factors.b, { transposeB: true, factor: this.#layout.alpha / this.#layout.r });
    return g.one("add", [y, change]);
  }

  #withDropout(x: Value): Value {
    if (!this.#dropout || this.#dropout.rate === 0) return x;
    const known = this.#dropped.get(x);
    if (known) return known;
    const g = this.#graph;
    const { rate, rowNoise, columnNoise } = this.#dropout;
    const columns = g.one("slice", [columnNoise], { axis: 0, start: 0, end: x.shape[1] as number });
    const dropped = mul(g, x, g.one("dropoutMask", [rowNoise, columns], { rate, site: this.#dropped.size }));
    this.#dropped.set(x, dropped);
    return dropped;
  }
}
