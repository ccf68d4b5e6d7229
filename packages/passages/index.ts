export {
  type BuildProgress,
  type BuildStage,
  buildIndex,
  type DocumentSummary,
  type IndexSummary,
  NothingToIndex,
  type SourceDocument,
  textSha256,
} from "./build.ts";
export type { Sentence } from "./contents.ts";
export type { CorrectedQuestion } from "./corrected.ts";
export { addVectors, type PassageEmbedder } from "./embed.ts";
export { addForeignSignals, type ForeignSignals } from "./foreign-signals.ts";
export { IndexUnusable } from "./format.ts";
export { type Found, openIndex, type PassageIndex, type RankedPassage, type SearchOptions } from "./open.ts";
export { type Probe, probeIndex } from "./probe.ts";
export type { Query, QueryTerm } from "./question.ts";
export { encodeVectors, type PassageVectors, type QuestionVectors } from "./vectors.ts";
