import type { ElementType, Value } from "./graph.ts";

/** Settings of an operation that are known when the graph is built. */
export interface Attributes {
  /** matmul: whether a factor's last two axes are exchanged. */
  transposeA?: boolean;
  transposeB?: boolean;
  /** matmul: a number that multiplies the product. */
  factor?: number;
  axes?: readonly number[];
  axis?: number;
  shape?: readonly number[];
  /** slice: the first row of `axis` and the one after the last. */
  start?: number;
  end?: number;
  epsilon?: number;
  /** dropoutMask: the share of zeros, and a number of its own for each mask. */
  rate?: number;
  site?: number;
  /** project: what one 8-bit integer a number leaves of x is taken as a second one, and multiplied too. */
  twoDigits?: boolean;
  /** rotate: by the negative angle. */
  inverse?: boolean;
}

/** Of attention's values, in GPT-2 with queries and keys: what x's small numbers lose beside the large shows there most. */
export const TWO_DIGITS: Attributes = { twoDigits: true };

interface Output {
  shape: readonly number[];
  type: ElementType;
}

type ShapeRule = (inputs: readonly Value[], attributes: Attributes) => Output[];

const real = (shape: readonly number[]): Output[] => [{ shape, type: "real" }];
const sameAsFirst: ShapeRule = ([x]) => real(the(x).shape);
const broadcastBoth: ShapeRule = ([a, b]) => real(broadcast(the(a).shape, the(b).shape));

/** Every operation of the graph with the rule for its outputs' shapes; each says what it computes. */
export const operations = {
  /** (..., M, K) x (..., K, N) -> (..., M, N), times `factor`; the axes before the last two are the same in both. */
  matmul: ([a, b], { transposeA, transposeB }) => {
    const [left, right] = [the(a).shape, the(b).shape];
    must(left.length === right.length && left.length >= 2, "both need the same number of axes, two or more");
    must(same(left.slice(0, -2), right.slice(0, -2)), "the axes before the last two differ");
    const [m, k] = transposeA ? [left.at(-1), left.at(-2)] : [left.at(-2), left.at(-1)];
    const [l, n] = transposeB ? [right.at(-1), right.at(-2)] : [right.at(-2), right.at(-1)];
    must(k === l, `the inner sizes ${k} and ${l} differ`);
    return real([...left.slice(0, -2), the(m), the(n)]);
  },
  /** A frozen linear layer: x (N, in), weight (out, in) -> x W^T (N, out). */
  project: ([x, weight]) => {
    const [[rows, inner], [out, width]] = [matrix(x), matrix(weight)];
    must(inner === width, `the inner sizes ${inner} and ${width} differ`);
    return real([rows, out]);
  },
  /** The way back through a frozen linear layer: dy (N, out), weight (out, in) -> dy W (N, in). */
  projectBack: ([dy, weight]) => {
    const [[rows, out], [height, inner]] = [matrix(dy), matrix(weight)];
    must(out === height, `the inner sizes ${out} and ${height} differ`);
    return real([rows, inner]);
  },
  /** a b + c, all matrices, `factor` times the product: one pass where add(matmul, c) takes two. */
  matmulAdd: ([a, b, c], attributes) => {
    const [product] = operations.matmul([the(a), the(b)], attributes) as [Output];
    must(
      product.shape.length === 2 && same(product.shape, the(c).shape),
      "the product and the summand differ in shape",
    );
    return real(product.shape);
  },
  add: broadcastBoth,
  sub: broadcastBoth,
  mul: broadcastBoth,
  div: broadcastBoth,
  min: broadcastBoth,
  sqrt: sameAsFirst,
  sigmoid: sameAsFirst,
  /** x Phi(x), Phi by tanh (Hendrycks and Gimpel 2016): GPT-2's activation. */
  gelu: sameAsFirst,
  /** d gelu / dx at x. */
  geluSlope: sameAsFirst,
  /** x sigmoid(x): Llama's activation. */
  silu: sameAsFirst,
  /** d silu / dx at x. */
  siluSlope: sameAsFirst,
  /** exp(x) by its sum, over the last axis. */
  softmax: sameAsFirst,
  /** p (dy - sum of dy p over the last axis): the way back through softmax, from its output p. */
  softmaxBack: ([p, dy]) => {
    must(same(the(p).shape, the(dy).shape), "both need the same shape");
    return real(the(p).shape);
  },
  /** The sum over `axes`, which stay with size 1. */
  sum: ([x], { axes = [] }) => real(the(x).shape.map((size, axis) => (axes.includes(axis) ? 1 : size))),
  /** x repeated up to `shape` along the axes where it has size 1, or none. */
  repeat: ([x], { shape = [] }) => {
    must(same(broadcast(the(x).shape, shape), shape), "it does not fit by repetition");
    return real(shape);
  },
  reshape: ([x], { shape = [] }) => {
    must(product(shape) === product(the(x).shape), `${the(x).shape} and ${shape} hold different numbers of elements`);
    return [{ shape, type: the(x).type }];
  },
  /** The axes in the order of `axes`. */
  transpose: ([x], { axes = [] }) => {
    must(
      same(
        [...axes].sort((a, b) => a - b),
        the(x).shape.map((_, axis) => axis),
      ),
      "axes must be a permutation",
    );
    return real(axes.map((axis) => the(the(x).shape[axis])));
  },
  slice: ([x], { axis = 0, start = 0, end = 0 }) => {
    const { shape } = the(x);
    must(0 <= start && start < end && end <= the(shape[axis]), `${start} to ${end} is not within axis ${axis}`);
    return real(shape.map((size, at) => (at === axis ? end - start : size)));
  },
  concat: (inputs, { axis = 0 }) => {
    const { shape } = the(inputs[0]);
    const others = (of: Value) => of.shape.filter((_, at) => at !== axis);
    must(
      inputs.every((input) => same(others(input), others(the(inputs[0])))),
      "the other axes differ",
    );
    const length = inputs.reduce((sum, input) => sum + the(input.shape[axis]), 0);
    return real(shape.map((size, at) => (at === axis ? length : size)));
  },
  /** table (V, C), indices (...) -> the rows named, (..., C). */
  gather: ([table, indices]) => {
    must(the(indices).type === "int64", "indices are int64");
    return real([...the(indices).shape, matrix(table)[1]]);
  },
  /** rows (N, C), indices (N) -> (V, C), V = `shape`[0]: each row added at its index, zero elsewhere. */
  scatterAdd: ([rows, indices], { shape = [] }) => {
    must(shape.length === 2 && matrix(rows)[1] === shape[1], "rows and table differ in width");
    must(same(the(indices).shape, [matrix(rows)[0]]), "one index for each row");
    return real(shape);
  },
  /** x (N, C), weight (C), bias (C) -> normalised rows (N, C), their mean (N, 1) and 1 by their deviation (N, 1). */
  layerNorm: ([x, weight, bias]) => {
    const [rows, width] = matrix(x);
    must(same(the(weight).shape, [width]) && same(the(bias).shape, [width]), "weight and bias have a row's width");
    return [...real([rows, width]), ...real([rows, 1]), ...real([rows, 1])];
  },
  /** x (N, C), weight (C) -> x by the root of its mean square (N, C), and 1 by that root (N, 1) (Zhang and Sennrich 2019). */
  rmsNorm: ([x, weight]) => {
    const [rows, width] = matrix(x);
    must(same(the(weight).shape, [width]), "the weight has a row's width");
    return [...real([rows, width]), ...real([rows, 1])];
  },
  /**
   * x (B, H, T, D), positions (B, T), cosines and sines (longest, D / 2) -> each pair (i, i + D / 2) rotated by its
   * position's angle: rotary position embedding (Su et al. 2021), in the halves' layout.
   */
  rotate: ([x, positions, cosines, sines]) => {
    const { shape } = the(x);
    must(shape.length === 4 && the(shape[3]) % 2 === 0, "x has four axes, the last of an even size");
    must(same(the(positions).shape, [the(shape[0]), the(shape[2])]), "one position for each of (B, T)");
    must(matrix(cosines)[1] === the(shape[3]) / 2 && same(the(cosines).shape, the(sines).shape), "D / 2 angles");
    return real(shape);
  },
  /** segments (B, T) -> (B, 1, T, T): 0 where a token may look at another (same segment, not later), else -1e30. */
  causalMask: ([segments]) => {
    const [batch, length] = matrix(segments);
    return real([batch, 1, length, length]);
  },
  /**
   * hidden (N, C), the output embedding (V, C), targets (N), weights (N) -> the weighted sum of the cross-entropies of
   * the targets, and its gradient with respect to hidden (N, C). Rows go through in chunks, so that logits (N, V) are
   * never whole in memory.
   */
  crossEntropy: ([hidden, embedding, targets, weights]) => {
    const [rows, width] = matrix(hidden);
    must(matrix(embedding)[1] === width, "the embedding has another width");
    must(same(the(targets).shape, [rows]) && same(the(weights).shape, [rows]), "one target and weight for each row");
    return [...real([]), ...real([rows, width])];
  },
  /** x itself, but computed from only once `moment`, whatever it holds, has been: it orders what follows. */
  after: ([x, moment]) => {
    the(moment);
    return real(the(x).shape);
  },
  /** condition (), a, b -> a where the condition is not 0, else b. */
  choose: ([condition, a, b]) => {
    must(the(condition).shape.length === 0 && same(the(a).shape, the(b).shape), "one condition, two of one shape");
    return real(the(a).shape);
  },
  /**
   * noise of rows (N) and of columns (C), random 32-bit integers drawn anew for each batch -> (N, C): 0 at the share
   * `rate`, else 1 / (1 - rate). `site` makes masks of one batch differ.
   */
  dropoutMask: ([rows, columns]) => {
    const [[height], [width]] = [the(rows).shape, the(columns).shape];
    must(the(rows).shape.length === 1 && the(columns).shape.length === 1, "noise has one axis");
    return real([the(height), the(width)]);
  },
} satisfies Record<string, ShapeRule>;

export type OperationName = keyof typeof operations;

function the<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("an input is missing");
  return value;
}

function must(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function product(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}

function matrix(value: Value | undefined): [number, number] {
  const { shape } = the(value);
  must(shape.length === 2, "a matrix is needed");
  return [the(shape[0]), the(shape[1])];
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const axes = Math.max(a.length, b.length);
  return Array.from({ length: axes }, (_, at) => {
    const [left, right] = [a[at - axes + a.length] ?? 1, b[at - axes + b.length] ?? 1];
    must(left === right || left === 1 || right === 1, `axis ${at} has ${left} and ${right}`);
    return Math.max(left, right);
  });
}
