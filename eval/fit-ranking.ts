import {
  type DescribedCandidate,
  type HybridWeights,
  hybridSignals,
  rankingSignals,
  tokenWeightsOf,
} from "@caigun/reading";
import { seededRandom } from "../testkit/random.ts";

/** One question with the candidates that were found for it. */
export interface RankingExample {
  vectors: { embedder: string; tokens: Float32Array; projected: Float32Array; mean: Float32Array };
  candidates: readonly DescribedCandidate[];
  /** For each candidate whether it contains the answer. */
  isRight: readonly boolean[];
}

type Weights = Pick<HybridWeights, "ranking" | "token" | "tokenBias">;

const EPOCHS = 8;
const BATCH = 16;
const RATE = 0.01;
/** Of the tokens' weights alone: there are hundreds of them, and a thousand questions. */
const DECAY = 0.3;
/** The scale in which the weights are learned; what is written down is multiplied out. */
const TOKEN_SCALE = 3;
const BEGINNING = { words: 4, bm25: 2, maxSim: 16, cosine: 0.5, passageCosine: 0 };

/**
 * Learns how candidates are ranked: the negative logarithm of the probability (softmax over a question's candidates) of
 * those with the answer, by AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101). The same each time.
 */
export function fitRanking(examples: readonly RankingExample[]): Weights {
  const usable = examples.filter(({ isRight }) => isRight.includes(true));
  const width = usable[0]!.vectors.mean.length;
  const head = rankingSignals.length;
  // The five ranking weights, the bias, then one number a dimension.
  const parameters = Float64Array.from({ length: head + 1 + width }, (_, at) =>
    at < head ? BEGINNING[rankingSignals[at]!] : 0,
  );
  const optimiser = new AdamW(parameters, (at) => (at >= head ? DECAY : 0));
  const random = seededRandom(1);
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    const order = shuffled(usable, random);
    for (let from = 0; from < order.length; from += BATCH) {
      const batch = order.slice(from, from + BATCH);
      const gradient = new Float64Array(parameters.length);
      for (const example of batch) addGradient(example, parameters, gradient, 1 / batch.length);
      optimiser.step(gradient);
    }
  }
  return asWeights(parameters);
}

function asWeights(parameters: Float64Array): Weights {
  const head = rankingSignals.length;
  const ranking = Object.fromEntries(rankingSignals.map((name, at) => [name, parameters[at]!]));
  return {
    ranking: ranking as Weights["ranking"],
    tokenBias: TOKEN_SCALE * parameters[head]!,
    token: Array.from(parameters.subarray(head + 1), (value) => TOKEN_SCALE * value),
  };
}

function addGradient(
  { vectors, candidates, isRight }: RankingExample,
  parameters: Float64Array,
  gradient: Float64Array,
  share: number,
): void {
  const weights = asWeights(parameters);
  const tokenWeights = tokenWeightsOf(vectors, weights);
  const signals = candidates.map((candidate) => hybridSignals(candidate, tokenWeights));
  const scores = signals.map((one) => rankingSignals.reduce((sum, name) => sum + weights.ranking[name] * one[name], 0));
  const all = softmax(scores, () => true);
  const right = softmax(scores, (at) => isRight[at]!);
  const head = rankingSignals.length;
  const width = vectors.mean.length;
  const ofTokenWeight = new Float64Array(tokenWeights.length);
  for (const [at, candidate] of candidates.entries()) {
    const ofScore = share * (all[at]! - right[at]!);
    for (const [place, name] of rankingSignals.entries()) gradient[place]! += ofScore * signals[at]![name];
    if (!candidate.vectors) continue;
    // maxSim is the mean of the best cosines by weights that are in all 1.
    for (let token = 0; token < tokenWeights.length; token++)
      ofTokenWeight[token]! +=
        ofScore * weights.ranking.maxSim * (candidate.vectors.best[token]! - signals[at]!.maxSim);
  }
  const total = totalSoftplus(vectors, weights);
  for (let token = 0; token < tokenWeights.length; token++) {
    const raw = linear(vectors, weights, token);
    // softplus'(x) is the logistic function; the weights were divided by their sum.
    const ofRaw = (TOKEN_SCALE * ofTokenWeight[token]!) / (1 + Math.exp(-raw)) / total;
    gradient[head]! += ofRaw;
    for (let component = 0; component < width; component++)
      gradient[head + 1 + component]! += ofRaw * vectors.tokens[token * width + component]!;
  }
}

function linear({ tokens, mean }: RankingExample["vectors"], { token, tokenBias }: Weights, row: number): number {
  let sum = tokenBias;
  for (let at = 0; at < mean.length; at++) sum += tokens[row * mean.length + at]! * token[at]!;
  return sum;
}

function totalSoftplus(vectors: RankingExample["vectors"], weights: Weights): number {
  let total = 0;
  for (let row = 0; row < vectors.tokens.length / vectors.mean.length; row++)
    total += Math.log1p(Math.exp(linear(vectors, weights, row)));
  return total;
}

function softmax(scores: readonly number[], includes: (at: number) => boolean): number[] {
  const most = Math.max(...scores.filter((_, at) => includes(at)));
  const powers = scores.map((score, at) => (includes(at) ? Math.exp(score - most) : 0));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

class AdamW {
  readonly #parameters: Float64Array;
  readonly #decayOf: (at: number) => number;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #steps = 0;

  constructor(parameters: Float64Array, decayOf: (at: number) => number) {
    this.#parameters = parameters;
    this.#decayOf = decayOf;
    this.#first = new Float64Array(parameters.length);
    this.#second = new Float64Array(parameters.length);
  }

  step(gradient: Float64Array): void {
    this.#steps++;
    for (let at = 0; at < gradient.length; at++) {
      this.#first[at] = 0.9 * this.#first[at]! + 0.1 * gradient[at]!;
      this.#second[at] = 0.999 * this.#second[at]! + 0.001 * gradient[at]! ** 2;
      const first = this.#first[at]! / (1 - 0.9 ** this.#steps);
      const second = this.#second[at]! / (1 - 0.999 ** this.#steps);
      const decayed = this.#parameters[at]! * (1 - RATE * this.#decayOf(at));
      this.#parameters[at] = decayed - (RATE * first) / (Math.sqrt(second) + 1e-8);
    }
  }
}
