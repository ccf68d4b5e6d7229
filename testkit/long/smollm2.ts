import { weightsForTests } from "../weights.ts";

/** The path of SmolLM2-135M-Instruct, which is fetched the first time (98 MB). */
export async function smolLm2(): Promise<string> {
  const weights = await weightsForTests("smollm2-135m-instruct-q4_1");
  if ("missing" in weights) throw new Error(weights.missing);
  return weights.files["model.gguf"]!.path;
}
