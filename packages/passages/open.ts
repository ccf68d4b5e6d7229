import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { normalise } from "@caigun/text";
import type { DocumentSummary, IndexSummary } from "./build.ts";
import { decodeContents, type Sentence } from "./contents.ts";
import { APPLICATION_ID, decodeSource, FORMAT_VERSION, IndexUnusable } from "./format.ts";
import { parseQuestion, type Query } from "./question.ts";

export interface RankedPassage {
  documentId: string;
  title: string;
  textSha256: string;
  ordinal: number;
  /** As sent. */
  text: string;
  /** Code points of the document as sent. */
  start: number;
  end: number;
  /** BM25; higher is better. */
  score: number;
  kind: "prose" | "list" | "table" | "qa";
  heading?: string;
  question?: string;
  leadTerms: number[];
  /** UTF-16 offset in `text` where what may be quoted begins. */
  answerStart: number;
  sentences: Sentence[];
}

export interface SearchOptions {
  /** Documents that must not be found, such as deleted ones. */
  exclude?: ReadonlySet<string>;
  /** The question's language, where it is known; else it is detected among those of the documents. */
  language?: string;
}

export interface Found {
  query: Query;
  passages: RankedPassage[];
}

interface Document extends DocumentSummary {
  firstPassage: number;
}

const LONGEST_QUESTION = 2000;
// How much more a word in a heading or in a passage's question counts.
const LEAD_WEIGHT = 1.5;
// SQLITE_CORRUPT and SQLITE_NOTADB.
const SQLITE_DAMAGE = new Set([11, 26]);

/** Opens an index read-only. Throws IndexUnusable for a file that is none, is damaged, or is of another version. */
export function openIndex(path: string): PassageIndex {
  checkHeader(path);
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return new PassageIndex(db, path);
  } catch (error) {
    db.close();
    throw asUnusable(error, path);
  }
}

export class PassageIndex {
  readonly bytes: number;
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #documents: Document[];
  readonly #languages: string[];
  readonly #passages: number;
  readonly #findTerm: StatementSync;
  readonly #findPassage: StatementSync;
  readonly #match: StatementSync;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.path = path;
    this.bytes = statSync(path).size;
    db.exec("PRAGMA cache_size = -512; PRAGMA query_only = 1;");
    this.#documents = db
      .prepare("SELECT * FROM documents ORDER BY number")
      .all()
      .map((row) => ({
        id: String(row.id),
        title: String(row.title),
        language: String(row.language),
        textSha256: String(row.text_sha256),
        codePoints: Number(row.code_points),
        passages: Number(row.passages),
        firstPassage: Number(row.first_passage),
      }));
    this.#passages = this.#documents.reduce((sum, document) => sum + document.passages, 0);
    this.#languages = mainLanguages(this.#documents);
    this.#findTerm = db.prepare("SELECT id, passages FROM terms WHERE term = ?");
    this.#findPassage = db.prepare("SELECT * FROM passages WHERE ordinal = ?");
    this.#match = db.prepare(
      `SELECT rowid, bm25(words, ${LEAD_WEIGHT}, 1.0) AS score FROM words WHERE words MATCH ? ORDER BY score, rowid`,
    );
  }

  /**
   * The passages that best match a question, best first, without those of excluded documents. Throws IndexUnusable
   * where the file turns out to be damaged.
   */
  search(question: string, limit: number, options: SearchOptions = {}): Found {
    try {
      const text = normalise(question.slice(0, LONGEST_QUESTION)).text;
      const { query, match } = parseQuestion(text, {
        languages: options.language === undefined ? this.#languages : [options.language],
        passages: this.#passages,
        find: (term) => this.#find(term),
      });
      const passages: RankedPassage[] = [];
      if (match === "") return { query, passages };
      for (const row of this.#match.iterate(match)) {
        const document = this.#documentOf(Number(row.rowid));
        if (options.exclude?.has(document.id)) continue;
        passages.push(this.#load(document, Number(row.rowid), -Number(row.score)));
        if (passages.length === limit) break;
      }
      return { query, passages };
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  summary(): IndexSummary {
    const documents = this.#documents.map(({ firstPassage: _, ...document }) => document);
    return { passages: this.#passages, bytes: this.bytes, documents };
  }

  /** The passages of one document in order, as stored. */
  *passagesOf(documentId: string): Generator<RankedPassage> {
    const document = this.#documents.find((candidate) => candidate.id === documentId);
    if (!document) return;
    try {
      for (let index = 0; index < document.passages; index++)
        yield this.#load(document, document.firstPassage + index, 0);
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  /** One passage by its number among all, from 0. */
  passageAt(number: number): RankedPassage {
    try {
      return this.#load(this.#documentOf(number), number, 0);
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  /** Reads the whole file and throws IndexUnusable where its structure is damaged. */
  checkStructure(): void {
    const [row] = this.#db.prepare("PRAGMA quick_check(1)").all();
    if (row?.quick_check !== "ok") throw new IndexUnusable(`The index ${this.path} is damaged: ${row?.quick_check}`);
  }

  close(): void {
    this.#db.close();
  }

  #find(term: string): { id: number; passages: number } | undefined {
    const row = this.#findTerm.get(term);
    return row && { id: Number(row.id), passages: Number(row.passages) };
  }

  #documentOf(ordinal: number): Document {
    let low = 0;
    let high = this.#documents.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#documents[middle]!.firstPassage <= ordinal) low = middle;
      else high = middle - 1;
    }
    return this.#documents[low]!;
  }

  #load(document: Document, ordinal: number, score: number): RankedPassage {
    const row = this.#findPassage.get(ordinal);
    if (!row) throw new IndexUnusable(`passage ${ordinal} is missing`);
    return {
      documentId: document.id,
      title: document.title,
      textSha256: document.textSha256,
      ordinal: ordinal - document.firstPassage,
      text: decodeSource(row.source!),
      start: Number(row.start),
      end: Number(row.end),
      score,
      kind: row.kind as RankedPassage["kind"],
      ...(row.heading === null ? {} : { heading: String(row.heading) }),
      ...(row.question === null ? {} : { question: String(row.question) }),
      ...decodeContents(row.contents as Uint8Array),
    };
  }
}

/** The languages of the documents, the one with the most passages first. */
function mainLanguages(documents: Document[]): string[] {
  const passages = new Map<string, number>();
  for (const { language, passages: count } of documents) passages.set(language, (passages.get(language) ?? 0) + count);
  const languages = [...passages.keys()].sort((a, b) => passages.get(b)! - passages.get(a)!);
  return languages.length > 0 ? languages : ["und"];
}

/** Reads SQLite's header by hand, so that a foreign or cut-off file is refused before SQLite maps it. */
function checkHeader(path: string): void {
  if (!existsSync(path)) throw new IndexUnusable(`There is no index at ${path}.`);
  const header = Buffer.alloc(100);
  const file = openSync(path, "r");
  let read: number;
  try {
    read = readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  if (read < header.length || header.toString("latin1", 0, 15) !== "SQLite format 3") {
    throw new IndexUnusable(`${path} is not a passage index.`);
  }
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw new IndexUnusable(`${path} is not a passage index.`);
  const version = header.readUInt32BE(60);
  if (version !== FORMAT_VERSION) {
    throw new IndexUnusable(
      `The index ${path} has format ${version}; this version reads format ${FORMAT_VERSION}. Train the model again.`,
    );
  }
  const expected = header.readUInt32BE(28) * (header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16));
  const actual = statSync(path).size;
  if (actual !== expected)
    throw new IndexUnusable(`The index ${path} is damaged: ${actual} bytes instead of ${expected}.`);
}

function asUnusable(error: unknown, path: string): unknown {
  if (error instanceof IndexUnusable) return error;
  const isDamage =
    error instanceof RangeError || SQLITE_DAMAGE.has(Number((error as { errcode?: number }).errcode) & 0xff);
  return isDamage ? new IndexUnusable(`The index ${path} is damaged: ${(error as Error).message}`) : error;
}
