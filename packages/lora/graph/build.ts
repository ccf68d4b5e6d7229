import type { Graph, Value } from "./graph.ts";
import { elements } from "./graph.ts";
import type { Attributes } from "./operations.ts";

/* The operations as functions, so that a formula reads as one. */

export const add = (g: Graph, a: Value, b: Value): Value => g.one("add", [a, b]);
export const sub = (g: Graph, a: Value, b: Value): Value => g.one("sub", [a, b]);
export const mul = (g: Graph, a: Value, b: Value): Value => g.one("mul", [a, b]);
export const div = (g: Graph, a: Value, b: Value): Value => g.one("div", [a, b]);
export const sqrt = (g: Graph, x: Value): Value => g.one("sqrt", [x]);
export const negative = (g: Graph, x: Value): Value => mul(g, x, g.scalar(-1));
export const matmul = (g: Graph, a: Value, b: Value, attributes: Attributes = {}): Value =>
  g.one("matmul", [a, b], attributes);
export const transpose = (g: Graph, x: Value, axes: readonly number[]): Value => g.one("transpose", [x], { axes });
/** The sum over `axes`, which stay with size 1. */
export const sum = (g: Graph, x: Value, axes: readonly number[]): Value => g.one("sum", [x], { axes });

/** The same elements in another shape; one size may be -1, and is what is left. */
export function reshape(g: Graph, x: Value, shape: readonly number[]): Value {
  const known = shape.filter((size) => size >= 0);
  const whole = shape.map((size) => (size < 0 ? elements(x.shape) / elements(known) : size));
  return whole.length === x.shape.length && whole.every((size, axis) => size === x.shape[axis])
    ? x
    : g.one("reshape", [x], { shape: whole });
}

/** x repeated along the axes where it has size 1. */
export function broadcastTo(g: Graph, x: Value, shape: readonly number[]): Value {
  return g.one("repeat", [x], { shape });
}
