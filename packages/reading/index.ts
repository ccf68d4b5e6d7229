export {
  confidenceOf,
  foreignLogOddsOf,
  hybridConfidenceOf,
  type LexicalSignals,
  lexicalSignals,
  lexicalSignalsOf,
  loweredBy,
  type Signals,
  type Strictness,
  signalsOf,
  thresholdOf,
} from "./confidence.ts";
export type { Evidence, EvidencePassage, EvidenceQuestionVectors, EvidenceTerm } from "./evidence.ts";
export { type Fit, type FitName, type FittedOn, fitNamed, fitNames } from "./fits.ts";
export { LONGEST_BEFORE, LONGEST_FOLLOW_UP, mayFollowUp, resolveFollowUp } from "./follow-up.ts";
export { meanForeignSignals } from "./foreign-signals.ts";
export { answeringWords } from "./highlight.ts";
export {
  confidenceSignals,
  type HybridSignals,
  type HybridWeights,
  metTokensOf,
  rankingSignals,
  tokenWeightsOf,
} from "./hybrid-weights.ts";
export { type Cloze, clozeFrom, foreignQuestions, queryFrom } from "./questions-from-text.ts";
export {
  type Candidate,
  type DescribedCandidate,
  describeCandidates,
  hybridScore,
  hybridSignals,
  rankCandidates,
} from "./ranking.ts";
export { type Citation, type Quotation, type Reading, type ReadingOptions, read } from "./read.ts";
export { refusalFor } from "./refusals.ts";
export { type SmallTalk, type SmallTalkKind, smallTalk, withoutSmallTalk } from "./small-talk.ts";
