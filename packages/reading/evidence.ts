/** What reading needs of a search's result; passages' `search` returns this and more. */
export interface Evidence {
  query: { language: string; terms: readonly EvidenceTerm[] };
  /** The question as an embedder encodes it, where its passages have vectors of the same. */
  vectors?: EvidenceQuestionVectors;
  /** What words say on average where the same text is asked about other things, if it was: LexicalSignals by name. */
  foreignSignals?: Readonly<Record<string, number>>;
  /** Best first. */
  passages: readonly EvidencePassage[];
}

/** T tokens of C dimensions, and of D as passages' tokens are stored; float32, rows of length 1. */
export interface EvidenceQuestionVectors {
  embedder: string;
  /** (T, C) */
  tokens: Float32Array;
  /** (T, D) */
  projected: Float32Array;
  /** (C): over all tokens. */
  mean: Float32Array;
}

export interface EvidenceTerm {
  /** -1 where no passage holds the term. */
  id: number;
  idf: number;
  common: boolean;
  numeric: boolean;
  pair: boolean;
  part: boolean;
  /** Put for a word that was typed and that no passage holds. */
  corrected?: boolean;
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
  /** What the search ranked it by. */
  score: number;
  /** Its BM25, as a share (0..1) of the best passage's. */
  relativeBm25: number;
  kind: "prose" | "list" | "table" | "qa";
  /** For "qa": the question that it answers, normalised. */
  question?: string;
  leadTerms: readonly number[];
  /** UTF-16 offset in `text` where what may be quoted begins. */
  answerStart: number;
  /** UTF-16 offsets in `text`; the ids of the distinct terms. */
  sentences: readonly { start: number; end: number; terms: readonly number[] }[];
  vectors?: {
    /** (T, D) in 1/127, of length 1; first those of the lead, then of each sentence, as many as `tokensOfPiece` says. */
    tokens: Int8Array;
    tokensOfPiece: readonly number[];
    /** Of the passage's mean with the question's. */
    cosine: number;
  };
}
