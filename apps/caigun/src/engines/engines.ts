import type { ModelName } from "@caigun/contract";

/** What stands behind a `model_name`: who trains, and how passages are searched until it is known better. */
export type Engine = { name: "local-reader" | "lora"; retrieval: "lexical" | "hybrid" };

const engines: Record<ModelName, Engine> = {
  PaLM2: { name: "local-reader", retrieval: "lexical" },
  gpt2: { name: "lora", retrieval: "lexical" },
};

export function engineFor(modelName: ModelName): Engine {
  return engines[modelName];
}
