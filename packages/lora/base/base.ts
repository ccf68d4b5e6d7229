/** What a language model of the GPT-2 or Llama family is made of; all sizes are counts. */
export interface Architecture {
  family: "gpt2" | "llama";
  layers: number;
  /** C, the width of the residual stream. */
  width: number;
  heads: number;
  /** Grouped-query attention has fewer heads for keys and values than for queries; GPT-2 has as many. */
  keyValueHeads: number;
  headWidth: number;
  /** The width between the two linear layers of the feed-forward network. */
  feedForwardWidth: number;
  vocabulary: number;
  /** The longest sequence in tokens. */
  contextLength: number;
  normEpsilon: number;
  /** Llama's rotary base frequency; GPT-2 has learned positions. */
  ropeBase: number | undefined;
}

/** How a tensor's numbers are kept in its file. */
export type TensorType = "F32" | "F16" | "BF16" | "Q8_0" | "Q4_0" | "Q4_1" | "Q6_K";

export interface BaseTensor {
  name: string;
  /** Row-major, outermost first: a linear layer's weight is (out, in). */
  shape: readonly number[];
  type: TensorType;
}

/**
 * An opened base model. Tensors have llama.cpp's names (token_embd.weight, blk.0.attn_q.weight, ...) and the layout of
 * Hugging Face's models: linear weights are (out, in), and Llama's queries and keys are rotated by halves, whatever the
 * file keeps. GPT-2's fused projection is blk.N.attn_qkv.weight, (3C, C). A tied output.weight is not listed.
 */
export interface Base {
  architecture: Architecture;
  /** SHA-256 of the file, in hexadecimal: an adapter belongs to the base with this digest. */
  digest: string;
  tensors: ReadonlyMap<string, BaseTensor>;
  /** A tensor's numbers, dequantised. Throws where there is no such tensor. */
  read(name: string): Float32Array;
  close(): void;
}
