export { confidenceOf, type Signals, type Strictness, signalsOf, thresholdOf } from "./confidence.ts";
export type { Evidence, EvidencePassage, EvidenceTerm } from "./evidence.ts";
export { type FitName, fitNames } from "./fits.ts";
export { mayFollowUp, resolveFollowUp } from "./follow-up.ts";
export { type Candidate, rankCandidates } from "./ranking.ts";
export { type Citation, type Quotation, type Reading, type ReadingOptions, read } from "./read.ts";
export { refusalFor } from "./refusals.ts";
export { type SmallTalk, type SmallTalkKind, smallTalk, withoutSmallTalk } from "./small-talk.ts";
