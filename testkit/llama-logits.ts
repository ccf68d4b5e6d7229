import { getLlama, type LlamaContext, LlamaLogLevel, type LlamaModel, type Token } from "node-llama-cpp";

const CONTEXT_TOKENS = 64;

/**
 * The logarithm of each token's probability after `ids`, by llama.cpp. It runs in this process: one that loads a wrong
 * file may end it.
 */
export async function logProbabilities(modelPath: string, ids: readonly number[], lora?: string): Promise<number[]> {
  const llama = await getLlama({ build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: 2 });
  let model: LlamaModel | undefined;
  let context: LlamaContext | undefined;
  try {
    model = await llama.loadModel({ modelPath });
    context = await model.createContext({ contextSize: CONTEXT_TOKENS, ...(lora !== undefined && { lora }) });
    const input = (ids as Token[]).map((id, index) =>
      index < ids.length - 1 ? id : ([id, { generateNext: { probabilities: true } }] as [Token, object]),
    );
    const evaluated = await context.getSequence().controlledEvaluate(input);
    const found: number[] = [];
    for (const [token, probability] of evaluated.at(-1)!.next.probabilities!) found[token] = Math.log(probability);
    return found;
  } finally {
    await context?.dispose();
    await model?.dispose();
    await llama.dispose();
  }
}

/** The same of logits that another program gives. */
export function logSoftmax(logits: readonly number[]): number[] {
  const most = Math.max(...logits);
  const total = most + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
  return logits.map((logit) => logit - total);
}

/** The largest difference between the two. */
export function largestDifference(one: readonly number[], other: readonly number[]): number {
  if (one.length !== other.length) throw new RangeError(`${one.length} tokens here, ${other.length} there.`);
  return one.reduce((most, value, token) => Math.max(most, Math.abs(value - other[token]!)), 0);
}

/** The likeliest tokens, the first one first. */
export function ranking(logits: readonly number[], count: number): number[] {
  return [...logits.keys()].sort((one, other) => logits[other]! - logits[one]!).slice(0, count);
}
