import { blockOf, transformColumns, transformRows } from "./hadamard.ts";

/** Whether a weight's integers are signed, or the same ones around 128 (exact-integers.ts says which, and why). */
export type WeightIntegers = "int8" | "uint8";

/** A weight in 8-bit integers with one scale for each column of the product. */
export interface QuantisedWeight {
  integers: Int8Array;
  scales: Float32Array;
}

/**
 * W (out, in) for x H W^T, where x H are spread rows (projections.ts): integers (in, out) of W H / b, with b the size of
 * H's blocks, each output's row by its own largest magnitude. `weight` is overwritten.
 */
export function quantisedForward(weight: Float32Array, out: number, inner: number): QuantisedWeight {
  transformRows(weight, inner, 1 / blockOf(inner));
  const [integers, scales] = [new Int8Array(weight.length), new Float32Array(out)];
  for (let row = 0; row < out; row++) {
    let largest = 0;
    for (let at = row * inner; at < (row + 1) * inner; at++)
      largest = Math.max(largest, Math.abs(weight[at] as number));
    const scale = scaleFor(largest);
    scales[row] = scale;
    for (let column = 0; column < inner; column++)
      integers[column * out + row] = Math.round((weight[row * inner + column] as number) / scale);
  }
  return { integers, scales };
}

/** W (out, in) for dy H W, where dy H are spread rows: integers (out, in) of H W / b. `weight` is overwritten. */
export function quantisedBackward(weight: Float32Array, out: number, inner: number): QuantisedWeight {
  transformColumns(weight, out, 1 / blockOf(out));
  return quantisedMixture(weight, out, inner);
}

/**
 * W (out, in) for p W: integers (out, in), each input's column of W by its own largest magnitude. These are other
 * integers than forward's, since a product's scales must stand outside its sum.
 */
export function quantisedMixture(weight: Float32Array, out: number, inner: number): QuantisedWeight {
  const [integers, scales] = [new Int8Array(weight.length), new Float32Array(inner)];
  for (let at = 0; at < weight.length; at++) {
    const column = at % inner;
    scales[column] = Math.max(scales[column] as number, Math.abs(weight[at] as number));
  }
  for (let column = 0; column < inner; column++) scales[column] = scaleFor(scales[column] as number);
  for (let row = 0; row < out; row++)
    for (let column = 0, at = row * inner; column < inner; column++, at++)
      integers[at] = Math.round((weight[at] as number) / (scales[column] as number));
  return { integers, scales };
}

/** Zeros have any scale. What is not a number has none, so that a product with it is not a number either. */
function scaleFor(largest: number): number {
  return largest === 0 ? 1 : largest / 127;
}
