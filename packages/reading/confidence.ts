import type { Evidence } from "./evidence.ts";
import type { Fit } from "./fits.ts";
import { confidenceSignals, type HybridWeights, metTokensOf } from "./hybrid-weights.ts";
import { weightsForConfidence } from "./question-weights.ts";
import type { Candidate } from "./ranking.ts";

export type Strictness = "low" | "normal" | "high";

/** What words say of the best candidate, each 0..1. */
export interface Signals {
  /** The share of the question's weight that the best candidate holds. */
  sentence: number;
  /** The same for the whole passage that it stands in. */
  passage: number;
}

/**
 * What the confidence is worked out from where only words speak. How much of a question an unrelated passage holds by
 * chance differs from text to text; what follows the first two tells how much that is here.
 */
export const lexicalSignals = ["sentence", "passage", "found", "contentWords", "background", "length"] as const;

export interface LexicalSignals extends Signals {
  /** The share (0..1) of the question's weight that all passages found hold together. */
  found: number;
  /** How many of the question's content words the passage holds: half of two words is less than half of ten. */
  contentWords: number;
  /** Mean BM25 beside the best one's (0..1) of the passages that come too late to hold the answer; 0 where there are none. */
  background: number;
  /** Natural logarithm of how many times longer the passage is than a short one, 0 or more: the longer, the more it holds by chance. */
  length: number;
}

/** Passages that may well answer; what stands after them is the background. */
const LIKELY_PASSAGES = 3;
/** How many are looked at, however many were found. */
const SEEN_PASSAGES = 8;
/** UTF-16 units. */
const SHORT_PASSAGE_LENGTH = 200;

type Best = Pick<Candidate, "passage" | "matched" | "passageMatched">;

export function signalsOf(best: Pick<Best, "matched" | "passageMatched">, evidence: Evidence): Signals {
  const weights = weightsForConfidence(evidence.query.terms);
  return { sentence: weights.share(best.matched), passage: weights.share(best.passageMatched) };
}

export function lexicalSignalsOf(best: Best, evidence: Evidence): LexicalSignals {
  const { terms } = evidence.query;
  const passages = evidence.passages.slice(0, SEEN_PASSAGES);
  const found = new Set(
    passages.flatMap(({ leadTerms, sentences }) => [...leadTerms, ...sentences.flatMap((sentence) => sentence.terms)]),
  );
  const content = terms.filter(({ common, pair, part }) => !common && !pair && !part);
  const later = passages.slice(LIKELY_PASSAGES).map(({ relativeBm25 }) => relativeBm25);
  return {
    ...signalsOf(best, evidence),
    found: weightsForConfidence(terms).share(found),
    contentWords: content.filter(({ id }) => best.passageMatched.has(id)).length,
    background: later.reduce((sum, one) => sum + one, 0) / Math.max(1, later.length),
    length: Math.max(0, Math.log(best.passage.text.length / SHORT_PASSAGE_LENGTH)),
  };
}

/**
 * The probability (0..1) that the best candidate answers the question, where half of the questions asked are about
 * something else: a logistic regression, fitted by eval/fit-reading.ts on what words say and by eval/fit-hybrid.ts on
 * what words and vectors say. 0 without a candidate.
 */
export function confidenceOf(best: Candidate | undefined, evidence: Evidence, fit: Fit): number {
  if (!best) return 0;
  const hybrid = hybridOf(evidence, fit);
  if (hybrid && best.hybrid) return hybridConfidenceOf(best, evidence, hybrid);
  return logistic(weighted(lexicalSignals, lexicalSignalsOf(best, evidence), fit.lexical.confidence));
}

/** The same of a candidate of a question with vectors, by weights of their embedder. */
export function hybridConfidenceOf(
  best: Candidate,
  evidence: Evidence,
  { confidence, metToken }: Pick<HybridWeights, "confidence" | "metToken">,
): number {
  const met = best.vectors ? metTokensOf(evidence.vectors!, best.vectors.best) : new Float64Array();
  const metTokens = met.reduce((sum, value, at) => sum + value * metToken[at]!, 0);
  return logistic(
    weighted(confidenceSignals, { ...best.hybrid!, ...signalsOf(best, evidence), metTokens }, confidence),
  );
}

/**
 * The mean log-odds of the confidence where the text was asked about other things. A small text shares few words with
 * any question, so that its own questions have a low confidence, and others a far lower one. Undefined where it was not
 * asked, or the signals were others then.
 */
export function foreignLogOddsOf(
  { foreignSignals: means }: Pick<Evidence, "foreignSignals">,
  weights: Fit["lexical"]["confidence"],
): number | undefined {
  if (!means || lexicalSignals.some((name) => means[name] === undefined)) return undefined;
  return weighted(lexicalSignals, means as Record<(typeof lexicalSignals)[number], number>, weights);
}

function weighted<Name extends string>(
  names: readonly Name[],
  signals: Record<Name, number>,
  weights: Record<Name | "bias", number>,
): number {
  return names.reduce((sum, name) => sum + weights[name] * signals[name], weights.bias);
}

/**
 * Log-odds. With so many, 4 to 5.5 % of a single article's own questions are refused; without a bound 2.5 to 4, and half as
 * many again of those are answered that it only comes close to.
 */
const MOST_LOWERED = 0.3;

/** By how much the log-odds of a text's thresholds are lowered. */
export function loweredBy(usual: number, foreignLogOdds: number | undefined): number {
  return Math.min(MOST_LOWERED, Math.max(0, usual - (foreignLogOdds ?? usual)));
}

/**
 * The confidence below which a question is refused. Where only words speak, its log-odds are lowered by as much as the
 * text's foreignLogOddsOf lies below what is usual in small texts, and no more than MOST_LOWERED.
 */
export function thresholdOf(strictness: Strictness, evidence: Evidence, fit: Fit): number {
  const hybrid = hybridOf(evidence, fit);
  if (hybrid) return hybrid.thresholds[strictness];
  const { thresholds, confidence, foreignLogOdds: usual } = fit.lexical;
  const lacking = loweredBy(usual, foreignLogOddsOf(evidence, confidence));
  // Left as it is, to the last bit, where nothing is lacking.
  return lacking === 0 ? thresholds[strictness] : logistic(logOdds(thresholds[strictness]) - lacking);
}

const hybridOf = ({ vectors }: Evidence, fit: Fit) => vectors && fit.hybrid[vectors.embedder];

const logistic = (value: number) => 1 / (1 + Math.exp(-value));
const logOdds = (probability: number) => Math.log(probability / (1 - probability));
