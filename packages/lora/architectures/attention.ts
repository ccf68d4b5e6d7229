import { add, matmul, reshape, transpose } from "../graph/build.ts";
import type { Graph, Value } from "../graph/graph.ts";

export interface AttentionSizes {
  /** B, T */
  batch: number;
  length: number;
  /** H, the heads of queries, and the fewer of keys and values that groups of them share. */
  heads: number;
  keyValueHeads: number;
  /** D */
  headWidth: number;
}

/** (B T, H D) -> (B, H, T, D) */
export function splitHeads(g: Graph, x: Value, heads: number, { batch, length, headWidth }: AttentionSizes): Value {
  return transpose(g, reshape(g, x, [batch, length, heads, headWidth]), [0, 2, 1, 3]);
}

/**
 * Scaled dot-product attention (Vaswani et al. 2017), with groups of queries that share keys (Ainslie et al. 2023):
 * queries (B, H, T, D), keys and values (B, K, T, D), mask (B, 1, T, T) -> (B T, H D). A group's queries stand one
 * below the other against their keys, so that no key is copied.
 */
export function attend(
  g: Graph,
  queries: Value,
  keys: Value,
  values: Value,
  mask: Value,
  sizes: AttentionSizes,
): Value {
  const { batch, length, heads, keyValueHeads, headWidth } = sizes;
  const rows = (heads / keyValueHeads) * length;
  const grouped = reshape(g, queries, [batch, keyValueHeads, rows, headWidth]);
  const scores = matmul(g, grouped, keys, { transposeB: true, factor: 1 / Math.sqrt(headWidth) });
  const masked = add(g, reshape(g, scores, [batch, heads, length, length]), mask);
  const shares = reshape(g, g.one("softmax", [masked]), [batch, keyValueHeads, rows, length]);
  const attended = reshape(g, matmul(g, shares, values), [batch, heads, length, headWidth]);
  return reshape(g, transpose(g, attended, [0, 2, 1, 3]), [batch * length, heads * headWidth]);
}
