import type { Base } from "../base/base.ts";
import type { Graph, Value } from "../graph/graph.ts";
import type { AdapterInGraph } from "./adapter.ts";
import { gpt2, gpt2LinearLayers } from "./gpt2.ts";
import type { Batch } from "./inputs.ts";
import { llama, llamaLinearLayers } from "./llama.ts";

export interface LinearLayer {
  name: string;
  /** (out, in) */
  shape: readonly [number, number];
}

export interface Forward {
  /** (B T, C), after the last normalisation. */
  hidden: Value;
  /** (V, C), the input embedding, which is the output embedding of a model that has no other. */
  tiedEmbedding: Value;
}

const architectures = { gpt2, llama };
const linearLayers = { gpt2: gpt2LinearLayers, llama: llamaLinearLayers };

/** A base model's way from tokens to the hidden states before its output embedding. */
export function hiddenStates(
  g: Graph,
  base: Base,
  batch: Batch,
  adapter?: AdapterInGraph,
): { hidden: Value; embedding: Value } {
  const { architecture } = base;
  const { hidden, tiedEmbedding } = architectures[architecture.family](g, architecture, batch, adapter);
  const own = base.tensors.has("output.weight");
  const embedding = own
    ? g.frozenTensor(["output.weight"], [architecture.vocabulary, architecture.width])
    : tiedEmbedding;
  return { hidden, embedding };
}

/** The linear layers that can be adapted, from the first layer to the last. */
export function adaptableLayers(base: Base): LinearLayer[] {
  return linearLayers[base.architecture.family](base.architecture);
}
