import type { Graph, Value } from "../graph/graph.ts";

/**
 * A batch of B rows of T tokens. Several sequences may stand in a row: tokens see those of their own segment alone, and
 * positions start anew with each.
 */
export interface Batch {
  /** (B, T) */
  tokens: Value;
  /** (B, T), from 0 in each sequence. */
  positions: Value;
  /** (B, T): tokens with the same number in one row are one sequence. */
  segments: Value;
}

export interface BatchSize {
  /** B */
  batch: number;
  /** T */
  length: number;
}

export function batchInputs(g: Graph, { batch, length }: BatchSize): Batch {
  const input = (name: string) => g.input(name, [batch, length], "int64");
  return { tokens: input("tokens"), positions: input("positions"), segments: input("segments") };
}
