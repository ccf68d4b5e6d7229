import type { TensorType } from "./base.ts";

/**
 * How each type is laid out: `values` numbers share a block of `bytes`; `ggml` is its number in GGUF (enum ggml_type of
 * llama.cpp's ggml.h).
 */
export const tensorTypes: Readonly<Record<TensorType, { ggml: number; values: number; bytes: number }>> = {
  F32: { ggml: 0, values: 1, bytes: 4 },
  F16: { ggml: 1, values: 1, bytes: 2 },
  Q4_0: { ggml: 2, values: 32, bytes: 18 },
  Q4_1: { ggml: 3, values: 32, bytes: 20 },
  Q8_0: { ggml: 8, values: 32, bytes: 34 },
  Q6_K: { ggml: 14, values: 256, bytes: 210 },
  BF16: { ggml: 30, values: 1, bytes: 2 },
};

export const tensorTypeNames = Object.keys(tensorTypes) as TensorType[];

/** What `count` numbers take, in bytes; undefined where they don't fill whole blocks. */
export function bytesOf(type: TensorType, count: number): number | undefined {
  const { values, bytes } = tensorTypes[type];
  return count % values === 0 ? (count / values) * bytes : undefined;
}
