import type { Architecture } from "../base/base.ts";
import { add, reshape } from "../graph/build.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { type Attributes, TWO_DIGITS } from "../graph/operations.ts";
import type { AdapterInGraph } from "./adapter.ts";
import { type AttentionSizes, attend, splitHeads } from "./attention.ts";
import type { Batch } from "./inputs.ts";
import type { Forward, LinearLayer } from "./language-model.ts";

/**
 * GPT-2 (Radford et al. 2019): learned positions; before attention and before the feed-forward network LayerNorm; one
 * projection for queries, keys and values; GELU; biases everywhere.
 */
export function gpt2(g: Graph, architecture: Architecture, batch: Batch, adapter: AdapterInGraph | undefined): Forward {
  const { layers, width, heads, headWidth, feedForwardWidth, vocabulary, contextLength } = architecture;
  const [rows, length] = batch.tokens.shape as [number, number];
  const sizes: AttentionSizes = { batch: rows, length, heads, keyValueHeads: heads, headWidth };
  const mask = g.one("causalMask", [batch.segments]);

  const linear = (x: Value, name: string, out: number, attributes: Attributes = {}): Value => {
    const weight = g.frozenTensor([`${name}.weight`], [out, x.shape[1] as number]);
    const y = add(g, g.one("project", [x, weight], attributes), g.frozenTensor([`${name}.bias`], [out]));
    return adapter?.addTo(y, x, `${name}.weight`) ?? y;
  };
  const norm = (x: Value, name: string): Value => {
    const [weight, bias] = [g.frozenTensor([`${name}.weight`], [width]), g.frozenTensor([`${name}.bias`], [width])];
    return g.apply("layerNorm", [x, weight, bias], { epsilon: architecture.normEpsilon })[0] as Value;
  };

  const embedding = g.frozenTensor(["token_embd.weight"], [vocabulary, width]);
  const places = g.one("gather", [g.frozenTensor(["position_embd.weight"], [contextLength, width]), batch.positions]);
  // (B, T) -> (B T, C)
  let x = reshape(g, add(g, g.one("gather", [embedding, batch.tokens]), places), [rows * length, width]);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`;
    g.beginSegment(x);
    const fused = linear(norm(x, `${block}.attn_norm`), `${block}.attn_qkv`, 3 * width, TWO_DIGITS);
    const [queries, keys, values] = [0, 1, 2].map((part) =>
      splitHeads(g, g.one("slice", [fused], { axis: 1, start: part * width, end: (part + 1) * width }), heads, sizes),
    ) as [Value, Value, Value];
    const attended = attend(g, queries, keys, values, mask, sizes);
    x = add(g, x, linear(attended, `${block}.attn_output`, width));

    const wide = g.one("gelu", [linear(norm(x, `${block}.ffn_norm`), `${block}.ffn_up`, feedForwardWidth)]);
    x = add(g, x, linear(wide, `${block}.ffn_down`, width));
  }
  g.endSegments();
  return { hidden: norm(x, "output_norm"), tiedEmbedding: embedding };
}

export function gpt2LinearLayers({ layers, width, feedForwardWidth }: Architecture): LinearLayer[] {
  return Array.from({ length: layers }, (_, layer): LinearLayer[] => {
    const linear = (role: string, out: number, inner: number) => ({
      name: `blk.${layer}.${role}.weight`,
      shape: [out, inner] as const,
    });
    return [
      linear("attn_qkv", 3 * width, width),
      linear("attn_output", width, width),
      linear("ffn_up", feedForwardWidth, width),
      linear("ffn_down", width, feedForwardWidth),
    ];
  }).flat();
}
