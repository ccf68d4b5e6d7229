/** What reading needs of a search's result; passages' `search` returns this and more. */
export interface Evidence {
  query: { language: string; terms: readonly EvidenceTerm[] };
  /** Best first. */
  passages: readonly EvidencePassage[];
}

export interface EvidenceTerm {
  /** -1 where no passage holds the term. */
  id: number;
  idf: number;
  common: boolean;
  numeric: boolean;
  pair: boolean;
  part: boolean;
}

export interface EvidencePassage {
  documentId: string;
  title: string;
  /** Of the document, as sent. */
  textSha256: string;
  /** As sent. */
  text: string;
  /** Code points of the document as sent. */
  start: number;
  end: number;
  score: number;
  kind: "prose" | "list" | "table" | "qa";
  leadTerms: readonly number[];
  /** UTF-16 offset in `text` where what may be quoted begins. */
  answerStart: number;
  /** UTF-16 offsets in `text`; the ids of the distinct terms. */
  sentences: readonly { start: number; end: number; terms: readonly number[] }[];
}
