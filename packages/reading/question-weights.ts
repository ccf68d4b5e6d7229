import type { EvidenceTerm } from "./evidence.ts";

// Chosen on all four question sets together (docs/reading.md).
const IDF_POWER = 0.8;
const COMMON_WEIGHT = 0.6;
const NUMERIC_WEIGHT = 2;
const PAIR_WEIGHT = 0.4;
/** How much of its weight a word brings that was put for the one that was typed: the other may have been meant. */
const CORRECTED_SHARE = 0.9;

/** How much each term of a question counts. */
export class QuestionWeights {
  readonly #weights = new Map<number, number>();
  #total = 0;

  constructor(
    terms: readonly EvidenceTerm[],
    weightOf: (term: EvidenceTerm) => number,
    broughtOf: (term: EvidenceTerm) => number = () => 1,
  ) {
    for (const term of terms) {
      const weight = weightOf(term);
      this.#total += weight;
      if (term.id >= 0) this.#weights.set(term.id, weight * broughtOf(term));
    }
  }

  has(term: number): boolean {
    return this.#weights.has(term);
  }

  /** The share (0..1) of the question's weight that some distinct terms carry. */
  share(terms: Iterable<number>): number {
    if (this.#total === 0) return 0;
    let sum = 0;
    for (const term of terms) sum += this.#weights.get(term) ?? 0;
    return sum / this.#total;
  }
}

/** For telling sentences apart: what is asked twice (a character within a word) counts once, numbers count double. */
export function weightsForRanking(terms: readonly EvidenceTerm[]): QuestionWeights {
  return new QuestionWeights(terms, (term) => (term.part ? 0 : baseWeight(term) * (term.numeric ? NUMERIC_WEIGHT : 1)));
}

/** For telling questions that the text answers from others: the more ways a word can be met, the steadier. */
export function weightsForConfidence(terms: readonly EvidenceTerm[]): QuestionWeights {
  return new QuestionWeights(terms, baseWeight, (term) => (term.corrected ? CORRECTED_SHARE : 1));
}

/**
 * Pairs of characters that are no word count little: across two words of a question they are often absent from its
 * answer, which would make languages written without spaces look less sure than others.
 */
function baseWeight(term: EvidenceTerm): number {
  return term.idf ** IDF_POWER * (term.common ? COMMON_WEIGHT : 1) * (term.pair ? PAIR_WEIGHT : 1);
}
