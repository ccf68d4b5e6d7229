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
  "metTokens",
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
  /** (C): metTokensOf times this is the signal metTokens. */
  metToken: readonly number[];
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

/**
 * (C): the question's T token vectors, each times how much more than the mean token it is met in a sentence (its best cosine
 * less the mean one), in all divided by the root of T. Which tokens must be met for a sentence to answer is another thing
 * than which tell sentences apart. How well a question is met as a whole other signals say: with the mean left in, this
 * one would learn from few questions which kinds of them are often answered.
 */
export function metTokensOf({ tokens, mean }: EvidenceQuestionVectors, best: Float32Array): Float64Array {
  const met = new Float64Array(mean.length);
  const meanBest = best.reduce((sum, cosine) => sum + cosine, 0) / best.length;
  for (const [row, cosine] of best.entries()) {
    const more = (cosine - meanBest) / Math.sqrt(best.length);
    for (let at = 0; at < met.length; at++) met[at]! += more * tokens[row * met.length + at]!;
  }
  return met;
}

/** The mean of a question's best cosines, each token counting by its weight. */
export function weightedMean(best: Float32Array, weights: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < best.length; at++) sum += best[at]! * weights[at]!;
  return sum;
}
