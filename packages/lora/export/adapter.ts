import type { Architecture } from "../base/base.ts";
import { type ExpectedTensor, expectedTensors } from "../base/tensor-names.ts";

/** What was trained for one linear layer: its weight gains (alpha / r) B A. */
export interface AdapterTarget {
  /** The weight's canonical name, such as blk.0.attn_q.weight. */
  name: string;
  /** A, (r, in), row-major. */
  a: Float32Array;
  /** B, (out, r), row-major and in the canonical order of rows. */
  b: Float32Array;
}

/** A low-rank adapter (Hu et al. 2021, arXiv 2106.09685) of one base model. */
export interface Adapter {
  r: number;
  alpha: number;
  targets: readonly AdapterTarget[];
  architecture: Architecture;
  /** SHA-256 of the base's model file, in hexadecimal. */
  baseDigest: string;
}

/** A target with the layer that it belongs to. */
export type PlacedTarget = AdapterTarget & { layer: ExpectedTensor & { shape: readonly [number, number] } };

/** The adapter's targets in the model's order. Throws RangeError where one fits no linear layer of a block. */
export function placedTargets({ r, alpha, targets, architecture }: Adapter): PlacedTarget[] {
  if (!Number.isInteger(r) || r < 1 || !(Number.isFinite(alpha) && alpha > 0))
    throw new RangeError(`An adapter needs a whole r from 1 on and an alpha above 0, not ${r} and ${alpha}.`);
  const byName = new Map(targets.map((target) => [target.name, target]));
  if (byName.size !== targets.length || byName.size === 0)
    throw new RangeError("An adapter needs one target or more, each of its own name.");
  const placed: PlacedTarget[] = [];
  for (const layer of linearLayers(architecture)) {
    const target = byName.get(layer.name);
    if (!target) continue;
    byName.delete(layer.name);
    const [out, into] = layer.shape;
    if (target.a.length !== r * into || target.b.length !== out * r)
      throw new RangeError(
        `${layer.name} needs ${r * into} and ${out * r} numbers, not ${target.a.length} and ${target.b.length}.`,
      );
    placed.push({ ...target, layer });
  }
  const [unknown] = byName.keys();
  if (unknown !== undefined) throw new RangeError(`${unknown} is no linear layer in a block of this model.`);
  return placed;
}

/** The linear layers in a model's blocks, in its order. */
export function linearLayers(architecture: Architecture): PlacedTarget["layer"][] {
  return expectedTensors(architecture).filter(
    (tensor): tensor is PlacedTarget["layer"] => tensor.name.startsWith("blk.") && tensor.shape.length === 2,
  );
}

/** Adds (alpha / r) B A to the weight (out, in), in place. Each sum is rounded once. */
export function merge(weight: Float32Array, { a, b, layer }: PlacedTarget, r: number, alpha: number): void {
  const [out, into] = layer.shape;
  const sums = new Float64Array(into);
  for (let row = 0; row < out; row++) {
    const weights = weight.subarray(row * into, (row + 1) * into);
    sums.set(weights);
    for (let rank = 0; rank < r; rank++) {
      const factor = (alpha / r) * b[row * r + rank]!;
      const from = rank * into;
      for (let column = 0; column < into; column++) sums[column]! += factor * a[from + column]!;
    }
    weights.set(sums);
  }
}
