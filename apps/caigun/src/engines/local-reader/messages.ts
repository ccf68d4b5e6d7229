import type { EvidencePassage, FitName, Reading, Strictness } from "@caigun/reading";

/** A training data as a child gets it: the text stays in its file. */
export type DocumentFile = { id: string; title: string; path: string; textSha256: string };

export type BuildRequest =
  | { do: "build"; documents: DocumentFile[]; target: string }
  | { do: "probe"; index: string; documents: DocumentFile[] };

export type BuildReply = { passages: number; bytes: number };
export type ProbeReply = { ok: true; sentences: number } | { ok: false; cause: string };

export type AskRequest = {
  /** Names the index: requests with the same key mean the same content. */
  key: string;
  index: string;
  question: string;
  /** Ids of training data that has been deleted since the index was made. */
  exclude: string[];
  strictness: Strictness;
  /** Whether what was read is wanted too, for a writer. */
  withTexts: boolean;
  /** Which learned weights answer. */
  fit: FitName;
};
/** A passage that was read: its text as it was sent, and where its sentences stand in it (UTF-16 offsets). */
export type PassageRead = Pick<EvidencePassage, "documentId" | "title" | "textSha256" | "text" | "start"> & {
  sentences: { start: number; end: number }[];
};
export type AskReply = Reading & { texts: PassageRead[] };
