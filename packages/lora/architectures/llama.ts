import type { Architecture } from "../base/base.ts";
import { add, mul, reshape } from "../graph/build.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { type Attributes, TWO_DIGITS } from "../graph/operations.ts";
import type { AdapterInGraph } from "./adapter.ts";
import { type AttentionSizes, attend, splitHeads } from "./attention.ts";
import type { Batch } from "./inputs.ts";
import type { Forward, LinearLayer } from "./language-model.ts";

/**
 * Llama (Touvron et al. 2023): before attention and before the feed-forward network RMSNorm; rotary positions; groups of
 * queries share keys and values; SwiGLU (Shazeer 2020).
 */
export function llama(
  g: Graph,
  architecture: Architecture,
  batch: Batch,
  adapter: AdapterInGraph | undefined,
): Forward {
  const { layers, width, heads, keyValueHeads, headWidth, feedForwardWidth, vocabulary } = architecture;
  const [rows, length] = batch.tokens.shape as [number, number];
  const sizes: AttentionSizes = { batch: rows, length, heads, keyValueHeads, headWidth };
  const mask = g.one("causalMask", [batch.segments]);
  const angles = rotaryAngles(g, architecture, length);

  const linear = (x: Value, name: string, out: number, attributes: Attributes = {}): Value => {
    const y = g.one("project", [x, g.frozenTensor([name], [out, x.shape[1] as number])], attributes);
    return adapter?.addTo(y, x, name) ?? y;
  };
  const norm = (x: Value, name: string): Value =>
    g.apply("rmsNorm", [x, g.frozenTensor([name], [width])], { epsilon: architecture.normEpsilon })[0] as Value;
  const rotated = (x: Value) => g.one("rotate", [x, batch.positions, ...angles]);

  const embedding = g.frozenTensor(["token_embd.weight"], [vocabulary, width]);
  // (B, T) -> (B T, C)
  let x = reshape(g, g.one("gather", [embedding, batch.tokens]), [rows * length, width]);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`;
    g.beginSegment(x);
    const before = norm(x, `${block}.attn_norm.weight`);
    const queries = splitHeads(g, linear(before, `${block}.attn_q.weight`, heads * headWidth), heads, sizes);
    const keys = splitHeads(
      g,
      linear(before, `${block}.attn_k.weight`, keyValueHeads * headWidth),
      keyValueHeads,
      sizes,
    );
    const values = splitHeads(
      g,
      linear(before, `${block}.attn_v.weight`, keyValueHeads * headWidth, TWO_DIGITS),
      keyValueHeads,
      sizes,
    );
    const attended = attend(g, rotated(queries), rotated(keys), values, mask, sizes);
    x = add(g, x, linear(attended, `${block}.attn_output.weight`, width));

    const between = norm(x, `${block}.ffn_norm.weight`);
    const gate = g.one("silu", [linear(between, `${block}.ffn_gate.weight`, feedForwardWidth)]);
    const up = linear(between, `${block}.ffn_up.weight`, feedForwardWidth);
    x = add(g, x, linear(mul(g, gate, up), `${block}.ffn_down.weight`, width));
  }
  g.endSegments();
  return { hidden: norm(x, "output_norm.weight"), tiedEmbedding: embedding };
}

export function llamaLinearLayers(architecture: Architecture): LinearLayer[] {
  const { layers, width, heads, keyValueHeads, headWidth, feedForwardWidth } = architecture;
  return Array.from({ length: layers }, (_, layer): LinearLayer[] => {
    const linear = (role: string, out: number, inner: number) => ({
      name: `blk.${layer}.${role}.weight`,
      shape: [out, inner] as const,
    });
    return [
      linear("attn_q", heads * headWidth, width),
      linear("attn_k", keyValueHeads * headWidth, width),
      linear("attn_v", keyValueHeads * headWidth, width),
      linear("attn_output", width, heads * headWidth),
      linear("ffn_gate", feedForwardWidth, width),
      linear("ffn_up", feedForwardWidth, width),
      linear("ffn_down", width, feedForwardWidth),
    ];
  }).flat();
}

/** Cosines and sines, (T, D / 2): position p turns pair i by p / base^(2 i / D). */
function rotaryAngles(g: Graph, { headWidth, ropeBase }: Architecture, length: number): [Value, Value] {
  if (ropeBase === undefined) throw new Error("A Llama model has a rotary base frequency.");
  const pairs = headWidth / 2;
  const angles = Array.from(
    { length: length * pairs },
    (_, at) => Math.floor(at / pairs) / ropeBase ** ((at % pairs) / pairs),
  );
  return [g.constant(angles.map(Math.cos), [length, pairs]), g.constant(angles.map(Math.sin), [length, pairs])];
}
