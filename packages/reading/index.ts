export { confidenceOf, type Signals, type Strictness, signalsOf, thresholdOf } from "./confidence.ts";
export type { Evidence, EvidencePassage, EvidenceTerm } from "./evidence.ts";
export { type FitName, fitNames } from "./fits.ts";
export { type Cloze, clozeFrom, foreignQuestions, queryFrom } from "./questions-from-text.ts";
export { type Candidate, rankCandidates } from "./ranking.ts";
export { type Citation, type Quotation, type Reading, type ReadingOptions, read } from "./read.ts";
export { refusalFor } from "./refusals.ts";
