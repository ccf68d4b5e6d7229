import type { Architecture } from "./base.ts";

/** A tensor of a model: its name in llama.cpp and in Hugging Face's models, and its canonical shape. */
export interface ExpectedTensor {
  name: string;
  /** Without the prefix that some files have (`transformer.`, `model.`). */
  huggingFace: string;
  shape: readonly number[];
  /** GPT-2's linear weights are kept as (in, out) by Hugging Face (Conv1D). */
  isConv1d?: true;
  /** Llama's queries and keys, whose rows llama.cpp's converter reorders within each of so many heads. */
  rotatedHeads?: number;
  /** May be missing: the embedding is then used in its place. */
  isOptional?: boolean;
}

/** Every tensor that a model of this architecture has. */
export function expectedTensors(architecture: Architecture): ExpectedTensor[] {
  const { width, vocabulary, layers } = architecture;
  const perLayer = architecture.family === "gpt2" ? gpt2Layer : llamaLayer;
  const blocks = Array.from({ length: layers }, (_, layer) => perLayer(architecture, layer)).flat();
  const output: ExpectedTensor = {
    name: "output.weight",
    huggingFace: "lm_head.weight",
    shape: [vocabulary, width],
    isOptional: true,
  };
  if (architecture.family === "gpt2")
    return [
      { name: "token_embd.weight", huggingFace: "wte.weight", shape: [vocabulary, width] },
      { name: "position_embd.weight", huggingFace: "wpe.weight", shape: [architecture.contextLength, width] },
      ...blocks,
      { name: "output_norm.weight", huggingFace: "ln_f.weight", shape: [width] },
      { name: "output_norm.bias", huggingFace: "ln_f.bias", shape: [width] },
      output,
    ];
  return [
    { name: "token_embd.weight", huggingFace: "embed_tokens.weight", shape: [vocabulary, width] },
    ...blocks,
    { name: "output_norm.weight", huggingFace: "norm.weight", shape: [width] },
    output,
  ];
}

function gpt2Layer({ width, feedForwardWidth }: Architecture, layer: number): ExpectedTensor[] {
  const [ours, theirs] = [`blk.${layer}`, `h.${layer}`];
  const norm = (name: string, huggingFace: string): ExpectedTensor[] =>
    ["weight", "bias"].map((part) => ({
      name: `${ours}.${name}.${part}`,
      huggingFace: `${theirs}.${huggingFace}.${part}`,
      shape: [width],
    }));
  const linear = (name: string, huggingFace: string, out: number, into: number): ExpectedTensor[] => [
    {
      name: `${ours}.${name}.weight`,
      huggingFace: `${theirs}.${huggingFace}.weight`,
      shape: [out, into],
      isConv1d: true,
    },
    { name: `${ours}.${name}.bias`, huggingFace: `${theirs}.${huggingFace}.bias`, shape: [out] },
  ];
  return [
    ...norm("attn_norm", "ln_1"),
    ...linear("attn_qkv", "attn.c_attn", 3 * width, width),
    ...linear("attn_output", "attn.c_proj", width, width),
    ...norm("ffn_norm", "ln_2"),
    ...linear("ffn_up", "mlp.c_fc", feedForwardWidth, width),
    ...linear("ffn_down", "mlp.c_proj", width, feedForwardWidth),
  ];
}

function llamaLayer(architecture: Architecture, layer: number): ExpectedTensor[] {
  const { width, heads, keyValueHeads, headWidth, feedForwardWidth } = architecture;
  const tensor = (name: string, huggingFace: string, ...shape: number[]): ExpectedTensor => ({
    name: `blk.${layer}.${name}.weight`,
    huggingFace: `layers.${layer}.${huggingFace}.weight`,
    shape,
  });
  return [
    tensor("attn_norm", "input_layernorm", width),
    { ...tensor("attn_q", "self_attn.q_proj", heads * headWidth, width), rotatedHeads: heads },
    { ...tensor("attn_k", "self_attn.k_proj", keyValueHeads * headWidth, width), rotatedHeads: keyValueHeads },
    tensor("attn_v", "self_attn.v_proj", keyValueHeads * headWidth, width),
    tensor("attn_output", "self_attn.o_proj", width, heads * headWidth),
    tensor("ffn_norm", "post_attention_layernorm", width),
    tensor("ffn_gate", "mlp.gate_proj", feedForwardWidth, width),
    tensor("ffn_up", "mlp.up_proj", feedForwardWidth, width),
    tensor("ffn_down", "mlp.down_proj", width, feedForwardWidth),
  ];
}
