import type { Evidence } from "./evidence.ts";
import { type FitName, fitNamed } from "./fits.ts";
import { weightsForConfidence } from "./question-weights.ts";
import type { Candidate } from "./ranking.ts";

export type Strictness = "low" | "normal" | "high";

/** What the confidence is worked out from, each 0..1. */
export interface Signals {
  /** The share of the question's weight that the best candidate holds. */
  sentence: number;
  /** The same for the whole passage that it stands in. */
  passage: number;
}

export function signalsOf(best: Candidate, evidence: Evidence): Signals {
  const weights = weightsForConfidence(evidence.query.terms);
  return { sentence: weights.share(best.matched), passage: weights.share(best.passageMatched) };
}

/**
 * The probability (0..1) that the text holds the answer, where half of the questions asked are about something else:
 * a logistic regression fitted by eval/fit-reading.ts. 0 without a candidate.
 */
export function confidenceOf(best: Candidate | undefined, evidence: Evidence, fit: FitName = "shipped"): number {
  if (!best) return 0;
  const { bias, sentence, passage } = fitNamed(fit).confidence;
  const signals = signalsOf(best, evidence);
  return 1 / (1 + Math.exp(-(bias + sentence * signals.sentence + passage * signals.passage)));
}

/** The confidence below which a question is refused. */
export function thresholdOf(strictness: Strictness, fit: FitName = "shipped"): number {
  return fitNamed(fit).thresholds[strictness];
}
