import type { EvidenceQuestionVectors } from "./evidence.ts";

/** What is known of a candidate where words and vectors both speak; all but the words and the cosines are 0..1. */
export interface HybridSignals {
  /** The share of the question's weight that the sentence holds as words, its lead counting half; less where it can't answer. */
  words: number;
  /** BM25 of its passage beside the best one's. */
  bm25: number;
  /** The question's tokens' best cosines in the sentence and in the passage: by the tokens' weights, and plain means. */
  maxSim: number;
  passageMaxSim: number;
  plainMaxSim: number;
  passagePlainMaxSim: number;
  /** Of the means. */
  cosine: number;
  passageCosine: number;
}

export const rankingSignals = ["words", "bm25", "maxSim", "cosine", "passageCosine"] as const;
export const confidenceSignals = [
  "sentence",
  "passage",
  "maxSim",
  "passageMaxSim",
  "plainMaxSim",
  "passagePlainMaxSim",
  "cosine",
  "passageCosine",
] as const;

/** Fitted by eval/fit-hybrid.ts for one embedder's vectors. */
export interface HybridWeights {
  /** How much a candidate's signals count when candidates are ranked. */
  ranking: Record<(typeof rankingSignals)[number], number>;
  /** (C): a question token's vector times this, and the bias, say how much the token counts. */
  token: readonly number[];
  tokenBias: number;
  /** A logistic regression on words' and vectors' signals; see confidenceOf. */
  confidence: Record<(typeof confidenceSignals)[number] | "bias", number>;
  thresholds: Record<"low" | "normal" | "high", number>;
}

/** How much each of a question's T tokens counts: softplus of a linear function, in all 1. */
export function tokenWeightsOf(
  { tokens, mean }: EvidenceQuestionVectors,
  { token, tokenBias }: Pick<HybridWeights, "token" | "tokenBias">,
): Float64Array {
  const width = mean.length;
  const weights = new Float64Array(tokens.length / width);
  let total = 0;
  for (let row = 0; row < weights.length; row++) {
    let sum = tokenBias;
    for (let at = 0; at < width; at++) sum += tokens[row * width + at]! * token[at]!;
    weights[row] = Math.log1p(Math.exp(Math.min(sum, 30)));
    total += weights[row]!;
  }
  return weights.map((weight) => (total > 0 ? weight / total : 0));
}

/** The mean of a question's best cosines, each token counting by its weight. */
export function weightedMean(best: Float32Array, weights: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < best.length; at++) sum += best[at]! * weights[at]!;
  return sum;
}
