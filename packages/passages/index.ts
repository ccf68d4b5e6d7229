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
export { IndexUnusable } from "./format.ts";
export { type Found, openIndex, type PassageIndex, type Query, type QueryTerm, type RankedPassage } from "./open.ts";
export { type Probe, type ProbedDocument, probeIndex } from "./probe.ts";
