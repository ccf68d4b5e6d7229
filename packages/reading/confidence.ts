import type { Evidence } from "./evidence.ts";
import type { Fit } from "./fits.ts";
import { confidenceSignals } from "./hybrid-weights.ts";
import { weightsForConfidence } from "./question-weights.ts";
import type { Candidate } from "./ranking.ts";

export type Strictness = "low" | "normal" | "high";

/** What the confidence is worked out from where only words speak, each 0..1. */
export interface Signals {
  /** The share of the question's weight that the best candidate holds. */
  sentence: number;
  /** The same for the whole passage that it stands in. */
  passage: number;
}

export function signalsOf(best: Pick<Candidate, "matched" | "passageMatched">, evidence: Evidence): Signals {
  const weights = weightsForConfidence(evidence.query.terms);
  return { sentence: weights.share(best.matched), passage: weights.share(best.passageMatched) };
}

/**
 * The probability (0..1) that the best candidate answers the question, where half of the questions asked are about
 * something else: a logistic regression, fitted by eval/fit-reading.ts on what words say and by eval/fit-hybrid.ts on
 * what words and vectors say. 0 without a candidate.
 */
export function confidenceOf(best: Candidate | undefined, evidence: Evidence, fit: Fit): number {
  if (!best) return 0;
  const signals = signalsOf(best, evidence);
  const hybrid = hybridOf(evidence, fit);
  if (hybrid && best.hybrid) {
    const all = { ...best.hybrid, ...signals };
    return logistic(
      confidenceSignals.reduce((sum, name) => sum + hybrid.confidence[name] * all[name], hybrid.confidence.bias),
    );
  }
  const { bias, sentence, passage } = fit.lexical.confidence;
  return logistic(bias + sentence * signals.sentence + passage * signals.passage);
}

/** The confidence below which a question is refused. */
export function thresholdOf(strictness: Strictness, evidence: Evidence, fit: Fit): number {
  return (hybridOf(evidence, fit) ?? fit.lexical).thresholds[strictness];
}

const hybridOf = ({ vectors }: Evidence, fit: Fit) => vectors && fit.hybrid[vectors.embedder];

const logistic = (value: number) => 1 / (1 + Math.exp(-value));
