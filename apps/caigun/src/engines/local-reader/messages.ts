import type { SelfCheck } from "@caigun/contract";
import type { CacheLimits } from "@caigun/embedding";
import type { EvidencePassage, FitName, Reading, Strictness } from "@caigun/reading";
import type { EncoderFiles } from "../embedding.ts";
import type { Quality } from "./passages-read.ts";

/** A training data as a child gets it: the text stays in its file. */
export type DocumentFile = { id: string; title: string; path: string; textSha256: string };

export type BuildRequest =
  | { do: "build"; documents: DocumentFile[]; target: string }
  | { do: "probe"; index: string; documents: DocumentFile[] }
  | EmbedRequest
  | PruneRequest
  /** `seed`: see checkSelf. */
  | { do: "check"; index: string; seed: string; encoder: EncoderFiles | undefined };

/** Encoded passages of earlier trainings, and how long and how many of them are kept. */
export type EncodingsKept = { path: string; limits: CacheLimits };
export type PruneRequest = { do: "prune"; cache: EncodingsKept };

export type EmbedRequest = {
  do: "embed";
  index: string;
  encoder: EncoderFiles;
  threads: number;
  cache: EncodingsKept;
  /** When to give up, in ms since 1970. */
  until: number;
};

/** `languages`: those of the documents. */
export type BuildReply = { passages: number; bytes: number; languages: string[] };
/** How many passages have vectors now; where none has, `because` says why, if anything went wrong. */
export type EmbedReply = { embedded: number; because?: string };
export type PruneReply = { pruned: true };
export type ProbeReply = { ok: true; sentences: number } | { ok: false; cause: string };

export type CheckReply = SelfCheck;

export type AskRequest = {
  /** Names the index: requests with the same key mean the same content. */
  key: string;
  index: string;
  question: string;
  /** Ids of training data that has been deleted since the index was made. */
  exclude: string[];
  strictness: Strictness;
  quality: Quality;
  /** The one that made the index's vectors encodes the question. */
  encoders: readonly EncoderFiles[];
  /** Whether what was read is wanted too, for a writer. */
  withTexts: boolean;
  /** Which learned weights answer. */
  fit: FitName;
};
/** A passage that was read: its text as it was sent, and where its sentences stand in it (UTF-16 offsets). */
export type PassageRead = Pick<EvidencePassage, "documentId" | "title" | "textSha256" | "text" | "start"> & {
  sentences: { start: number; end: number }[];
};
export type AskReply = Reading & {
  /** As it was searched for: without slips of the one who typed it. */
  question: string;
  /** How it was searched. */
  retrieval: "lexical" | "hybrid";
  /** Names what made the index's vectors, where it is not here and so can't encode questions. */
  lacksEncoder: string | undefined;
  texts: PassageRead[];
};
