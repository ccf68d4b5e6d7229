import type { Candidate } from "./ranking.ts";
import weights from "./weights.json" with { type: "json" };

export type Strictness = "low" | "normal" | "high";

export interface ConfidenceWeights {
  bias: number;
  coverage: number;
  passageCoverage: number;
}

/**
 * The probability (0..1) that the text holds the answer, where half of the questions asked are about something else:
 * a logistic regression fitted by eval/fit-reading.ts. 0 without a candidate.
 */
export function confidenceOf(candidate: Candidate | undefined, fitted: ConfidenceWeights = weights.confidence): number {
  if (!candidate) return 0;
  const { bias, coverage, passageCoverage } = fitted;
  const logit = bias + coverage * candidate.coverage + passageCoverage * candidate.passageCoverage;
  return 1 / (1 + Math.exp(-logit));
}

/** The confidence below which a question is refused. */
export function thresholdOf(strictness: Strictness): number {
  return weights.thresholds[strictness];
}
