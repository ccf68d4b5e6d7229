import type { ModelName } from "@caigun/contract";

/** What stands behind a `model_name`: who trains, who replies, how passages are searched. */
export type Engine = {
  name: string;
  base: string | null;
  retrieval: "lexical" | "hybrid";
  /** Why a training with it can't succeed in this version, or null. */
  unavailable: { stage: string; cause: string; fix: string } | null;
};

const localReader: Engine = { name: "local-reader", base: null, retrieval: "lexical", unavailable: null };

const loraTrainer: Engine = {
  name: "lora",
  base: "gpt2",
  retrieval: "lexical",
  unavailable: {
    stage: "accepted",
    cause: 'This version of CaiGun can\'t train "gpt2" yet.',
    fix: 'Train with model_name "PaLM2": its chatbot answers with the sentences of your text, quoted with their place.',
  },
};

const engines: Record<ModelName, Engine> = { PaLM2: localReader, gpt2: loraTrainer };

export function engineFor(modelName: ModelName): Engine {
  return engines[modelName];
}
