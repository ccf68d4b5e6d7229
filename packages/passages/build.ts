import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import {
  codePointCount,
  cutPassages,
  detectLanguage,
  itemMarkLength,
  type Normalised,
  normalise,
  type Passage,
  sentences,
  words,
} from "@caigun/text";
import { encodeContents, type Sentence } from "./contents.ts";
import { APPLICATION_ID, encodeSource, FORMAT_VERSION, SCHEMA } from "./format.ts";
import { SpellingWriter } from "./spellings.ts";
import { VarintWriter } from "./varints.ts";

export interface SourceDocument {
  id: string;
  title: string;
  /** As sent; citations count its code points. */
  text: string;
}

export interface DocumentSummary {
  id: string;
  title: string;
  language: string;
  /** SHA-256 of the text as sent in UTF-8, in hexadecimal. */
  textSha256: string;
  codePoints: number;
  passages: number;
}

export interface IndexSummary {
  passages: number;
  bytes: number;
  documents: DocumentSummary[];
}

/** A document has no words: nothing that anyone asks could be answered from it. */
export class NothingToIndex extends Error {
  override name = "NothingToIndex";
}

/** The steps that a document passes; with several documents, each passes all of them in turn. */
export type BuildStage = "text" | "passages" | "index";
export interface BuildProgress {
  stage: BuildStage;
  /** Of the stage's work on all documents, 0..1. */
  fraction: number;
}

const PROGRESS_EVERY_PASSAGES = 256;
/** Of a document whose language is not left to its own few words, in UTF-16 units. */
const SHORT_UNITS = 400;

/**
 * Writes the index of some documents to a file that does not exist yet. The same documents give the same bytes. Nothing
 * is synced to disk: the caller keeps the file only when this has returned. Throws
 * NothingToIndex, and where two documents share an id.
 */
export function buildIndex(
  path: string,
  documents: readonly SourceDocument[],
  options: { onProgress?: (progress: BuildProgress) => void } = {},
): IndexSummary {
  if (new Set(documents.map(({ id }) => id)).size < documents.length) throw new Error("Two documents share an id.");
  const db = new DatabaseSync(path);
  try {
    db.exec(`PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32768;
      PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT_VERSION};`);
    db.exec(SCHEMA);
    // One merge at the end instead of many on the way.
    db.exec("INSERT INTO words (words, rank) VALUES ('hashsize', 16777216), ('automerge', 0)");
    db.exec("BEGIN");
    const summaries = new IndexWriter(db, documents, options.onProgress ?? (() => {})).write();
    db.exec("COMMIT");
    db.close();
    const passages = summaries.reduce((sum, document) => sum + document.passages, 0);
    return { passages, bytes: statSync(path).size, documents: summaries };
  } finally {
    if (db.isOpen) db.close();
  }
}

interface Term {
  id: number;
  passages: number;
  lastPassage: number;
}

class IndexWriter {
  readonly #documents: readonly SourceDocument[];
  readonly #onProgress: (progress: BuildProgress) => void;
  readonly #db: DatabaseSync;
  readonly #terms = new Map<string, Term>();
  readonly #varints = new VarintWriter();
  readonly #spellings = new SpellingWriter();
  readonly #insertPassage;
  readonly #insertWords;
  readonly #insertDocument;
  #passages = 0;
  /** Whether the document that is being added has any so far. */
  #hasWords = false;
  #longestLatin: { language: string; units: number } | undefined;

  constructor(db: DatabaseSync, documents: readonly SourceDocument[], onProgress: (progress: BuildProgress) => void) {
    this.#db = db;
    this.#documents = documents;
    this.#onProgress = onProgress;
    this.#insertPassage = db.prepare("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#insertWords = db.prepare("INSERT INTO words (rowid, lead, body) VALUES (?, ?, ?)");
    this.#insertDocument = db.prepare("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  }

  write(): DocumentSummary[] {
    const total = this.#documents.reduce((sum, document) => sum + document.text.length, 0) || 1;
    let before = 0;
    const summaries = this.#documents.map((document, number) => {
      const summary = this.#addDocument(document, number, (stage, done) =>
        this.#onProgress({ stage, fraction: (0.9 * (before + done)) / total }),
      );
      before += document.text.length;
      return summary;
    });
    this.#writeTerms();
    this.#spellings.write(this.#db);
    this.#onProgress({ stage: "index", fraction: 0.95 });
    this.#db.exec("INSERT INTO words (words) VALUES ('optimize')");
    this.#onProgress({ stage: "index", fraction: 1 });
    return summaries;
  }

  #addDocument(
    document: SourceDocument,
    number: number,
    report: (stage: BuildStage, doneUnits: number) => void,
  ): DocumentSummary {
    report("text", 0);
    this.#hasWords = false;
    const normal = normalise(document.text);
    const language = this.#languageOf(normal.text);
    const first = this.#passages;
    const counter = new CodePointCounter(document.text);
    report("passages", 0);
    const cut = cutPassages(normal.text, normal);
    report("index", 0);
    for (const passage of cut) {
      this.#addPassage(document.text, normal, passage, number, language, counter);
      if (this.#passages % PROGRESS_EVERY_PASSAGES === 0) report("index", normal.toSource(passage.end));
    }
    if (!this.#hasWords) throw new NothingToIndex("The text has no words.");
    const summary: DocumentSummary = {
      id: document.id,
      title: document.title,
      language,
      textSha256: textSha256(document.text),
      codePoints: counter.at(document.text.length),
      passages: this.#passages - first,
    };
    const { id, title, codePoints, passages } = summary;
    this.#insertDocument.run(number, id, title, summary.textSha256, codePoints, language, first, passages);
    return summary;
  }

  /**
   * A few words' language is often guessed wrongly, and their stems would be others than the question's: they count as
   * the longest document's before them, where both are in Latin letters.
   */
  #languageOf(text: string): string {
    const isLatin = /^(?:\P{L}*\p{Script=Latin}){3}/u.test(text);
    if (isLatin && text.length < SHORT_UNITS && this.#longestLatin) return this.#longestLatin.language;
    const language = detectLanguage(text);
    if (isLatin && text.length >= (this.#longestLatin?.units ?? SHORT_UNITS))
      this.#longestLatin = { language, units: text.length };
    return language;
  }

  #addPassage(
    text: string,
    normal: Normalised,
    passage: Passage,
    document: number,
    language: string,
    counter: CodePointCounter,
  ): void {
    const ordinal = this.#passages++;
    const start = normal.toSource(passage.start);
    const end = normal.toSourceEnd(passage.end);
    const lead = `${passage.heading ?? ""}\n${passage.question ?? ""}`;
    const leadTexts = this.#termsOf(lead, language);
    const leadTerms = this.#idsOf(leadTexts, ordinal);
    const body = normal.text.slice(passage.answerStart, passage.end);
    const bodyTerms: string[] = [];
    const found: Sentence[] = [];
    for (const span of sentences(body)) {
      const said = body.slice(span.start, span.end);
      const from = passage.answerStart + span.start + itemMarkLength(said, passage.kind === "list");
      const terms = this.#termsOf(said, language);
      for (const term of terms) bodyTerms.push(term);
      found.push({
        // An item is quoted without its bullet.
        start: normal.toSource(from) - start,
        end: normal.toSourceEnd(passage.answerStart + span.end) - start,
        terms: this.#idsOf(terms, ordinal),
      });
    }
    const contents = encodeContents(this.#varints, {
      leadTerms,
      answerStart: Math.min(normal.toSource(passage.answerStart), end) - start,
      sentences: found,
    });
    const { kind, heading = null, question = null } = passage;
    const source = encodeSource(text.slice(start, end));
    this.#insertPassage.run(
      ordinal,
      document,
      counter.at(start),
      counter.at(end),
      kind,
      heading,
      question,
      source,
      contents,
    );
    this.#hasWords ||= leadTexts.length > 0 || bodyTerms.length > 0;
    this.#insertWords.run(ordinal, leadTexts.join(" "), bodyTerms.join(" "));
  }

  #termsOf(text: string, language: string): string[] {
    return words(text, language).map(({ term, start, end }) => {
      this.#spellings.add(text.slice(start, end));
      return term;
    });
  }

  #idsOf(terms: string[], ordinal: number): number[] {
    const ids = new Set<number>();
    for (const text of terms) {
      let term = this.#terms.get(text);
      if (!term) {
        term = { id: this.#terms.size, passages: 0, lastPassage: -1 };
        this.#terms.set(text, term);
      }
      if (term.lastPassage !== ordinal) {
        term.lastPassage = ordinal;
        term.passages++;
      }
      ids.add(term.id);
    }
    return [...ids].sort((a, b) => a - b);
  }

  #writeTerms(): void {
    const insert = this.#db.prepare("INSERT INTO terms VALUES (?, ?, ?)");
    for (const text of [...this.#terms.keys()].sort()) {
      const term = this.#terms.get(text)!;
      insert.run(text, term.id, term.passages);
    }
  }
}

export function textSha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/** Code points before an offset, for offsets that never fall: one walk through the text. */
class CodePointCounter {
  readonly #text: string;
  #offset = 0;
  #count = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): number {
    this.#count += codePointCount(this.#text.slice(this.#offset, offset));
    this.#offset = offset;
    return this.#count;
  }
}
