import type { ModelName } from "@caigun/contract";

/** What stands behind a `model_name`: who trains, and how passages are searched until it is known better. */
export type Engine = { name: "local-reader" | "lora"; retrieval: "lexical" | "hybrid" };

/** What replies in a text's own words, whatever the model: also where what would word the reply fails. */
export const READER = "local-reader";

const engines: Record<ModelName, Engine> = {
  PaLM2: { name: READER, retrieval: "lexical" },
  gpt2: { name: "lora", retrieval: "lexical" },
};

export function engineFor(modelName: ModelName): Engine {
  return engines[modelName];
}
