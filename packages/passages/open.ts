import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { normalise } from "@caigun/text";
import type { DocumentSummary, IndexSummary } from "./build.ts";
import { decodeContents, type Sentence } from "./contents.ts";
import { correctQuestion } from "./correct.ts";
import type { CorrectedQuestion } from "./corrected.ts";
import { MeanVectors } from "./dense.ts";
import { type ForeignSignals, foreignSignalsOf } from "./foreign-signals.ts";
import {
  APPLICATION_ID,
  decodeSource,
  FORMAT_VERSION,
  IndexUnusable,
  OLDEST_READABLE_VERSION,
  SPELLINGS_SINCE_VERSION,
  VECTORS_SINCE_VERSION,
} from "./format.ts";
import { parseQuestion, type Query, type Vocabulary } from "./question.ts";
import { Spellings } from "./spellings.ts";
import { decodeTokens, type PassageVectors, type QuestionVectors } from "./vectors.ts";

export interface RankedPassage {
  documentId: string;
  title: string;
  textSha256: string;
  ordinal: number;
  /** Its number among the passages of all documents. */
  row: number;
  /** As sent. */
  text: string;
  /** Code points of the document as sent. */
  start: number;
  end: number;
  /** What it was ranked by; higher is better. */
  score: number;
  /** Its BM25, as a share (0..1) of the best passage's. */
  relativeBm25: number;
  kind: "prose" | "list" | "table" | "qa";
  heading?: string;
  question?: string;
  leadTerms: number[];
  /** UTF-16 offset in `text` where what may be quoted begins. */
  answerStart: number;
  sentences: Sentence[];
  /** Where the question came with vectors and the passage has some; the cosine is that of the means. */
  vectors?: Pick<PassageVectors, "tokens" | "tokensOfPiece"> & { cosine: number };
}

export interface SearchOptions {
  /** The question as the index's embedder encodes it: passages are then found by their meaning too. */
  vectors?: QuestionVectors;
  /** Documents that must not be found, such as deleted ones. */
  exclude?: ReadonlySet<string>;
  /** What `correct` has put into the question. */
  corrections?: CorrectedQuestion["corrections"];
  /** The question's language, where it is known; else it is detected among those of the documents. */
  language?: string;
}

export interface Found {
  query: Query;
  /** The vectors that the question came with. */
  vectors?: QuestionVectors;
  /** What a reader sees where this index is asked about other things, if it was. */
  foreignSignals?: ForeignSignals;
  passages: RankedPassage[];
}

interface Document extends DocumentSummary {
  firstPassage: number;
}

interface Ranked {
  row: number;
  score: number;
  relativeBm25: number;
  cosine?: number;
}

const LONGEST_QUESTION = 2000;
// How much more a word in a heading or in a passage's question counts.
const LEAD_WEIGHT = 1.5;
// Passages that each way of searching names before they are ranked together, and how much a cosine counts beside BM25.
const FUSED_FROM = 20;
const COSINE_WEIGHT = 1;
// Passages that are read to find a spelling in one of them.
const MOST_LOOKED_AT = 20;
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
  readonly #holding: StatementSync;
  readonly #scoresOf: StatementSync;
  readonly #embedder: { name: string; digest: string } | undefined;
  readonly #findVectors: StatementSync | undefined;
  readonly #spellings: Spellings | undefined;
  readonly #foreignSignals: ForeignSignals | undefined;
  /** Read when first asked for. */
  #means: MeanVectors | undefined;

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
    this.#holding = db.prepare("SELECT rowid FROM words WHERE words MATCH ?");
    // The plus keeps SQLite from matching anew for each row: what bm25 weighs the terms by is worked out once a match.
    this.#scoresOf = db.prepare(
      `SELECT rowid, bm25(words, ${LEAD_WEIGHT}, 1.0) AS score FROM words WHERE words MATCH ?
       AND +rowid IN (SELECT value FROM json_each(?))`,
    );
    this.#foreignSignals = foreignSignalsOf(db);
    const version = Number(db.prepare("PRAGMA user_version").get()!.user_version);
    if (version >= SPELLINGS_SINCE_VERSION) this.#spellings = new Spellings(db);
    if (version < VECTORS_SINCE_VERSION) return;
    const embedder = db.prepare("SELECT name, digest FROM embedder").get();
    this.#embedder = embedder && { name: String(embedder.name), digest: String(embedder.digest) };
    this.#findVectors = db.prepare("SELECT tokens FROM vectors WHERE ordinal = ?");
  }

  /**
   * A question as it is searched for: normalised, and without the slips of who typed it. An index of before format 4
   * knows no spellings, and corrects none. No word is put in that excluded documents alone hold. Throws IndexUnusable where
   * the file turns out to be damaged.
   */
  correct(question: string, { exclude = new Set() }: Pick<SearchOptions, "exclude"> = {}): CorrectedQuestion {
    const text = normalisedQuestion(question);
    if (!this.#spellings) return { text, corrections: [] };
    const known = new Map<string, boolean>();
    const mayBeTold = (spelling: string, term: string) => {
      const told = exclude.size === 0 || (known.get(spelling) ?? this.#standsOutside(exclude, spelling, term));
      known.set(spelling, told);
      return told;
    };
    try {
      return correctQuestion(text, this.#vocabulary(), this.#spellings, mayBeTold);
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  /**
   * The passages that best match a question, best first, without those of excluded documents. Throws IndexUnusable
   * where the file turns out to be damaged.
   */
  search(question: string, limit: number, options: SearchOptions = {}): Found {
    try {
      const vocabulary = this.#vocabulary(options.language);
      const { query, match } = parseQuestion(normalisedQuestion(question), vocabulary, options.corrections);
      const admits = (row: number) => !options.exclude?.has(this.#documentOf(row).id);
      const ranked = this.#rank(match, limit, admits, options.vectors);
      return {
        query,
        ...(options.vectors ? { vectors: options.vectors } : {}),
        ...(this.#foreignSignals ? { foreignSignals: this.#foreignSignals } : {}),
        passages: ranked.map((rank) => this.#load(rank, options.vectors !== undefined)),
      };
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  /** Who made its vectors; undefined where it has none. */
  get embedder(): { name: string; digest: string } | undefined {
    return this.#embedder;
  }

  /** Of its documents, as BCP-47 primary subtags, the one with the most passages first. */
  get languages(): readonly string[] {
    return this.#languages;
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
        yield this.#load({ row: document.firstPassage + index, score: 0, relativeBm25: 0 }, false);
    } catch (error) {
      throw asUnusable(error, this.path);
    }
  }

  /** One passage by its number among all, from 0. */
  passageAt(number: number): RankedPassage {
    try {
      return this.#load({ row: number, score: 0, relativeBm25: 0 }, false);
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

  #vocabulary(language?: string): Vocabulary {
    return {
      languages: language === undefined ? this.#languages : [language],
      passages: this.#passages,
      find: (term) => this.#find(term),
    };
  }

  #find(term: string): { id: number; passages: number } | undefined {
    const row = this.#findTerm.get(term);
    return row && { id: Number(row.id), passages: Number(row.passages) };
  }

  /** Whether a document that is not excluded is found to hold a spelling, and not only another form of it. */
  #standsOutside(exclude: ReadonlySet<string>, spelling: string, term: string): boolean {
    const asWord = new RegExp(`(?<![\\p{L}\\p{M}\\p{N}])${spelling}(?![\\p{L}\\p{M}\\p{N}])`, "u");
    let looked = 0;
    for (const { rowid } of this.#holding.iterate(`"${term}"`)) {
      const row = Number(rowid);
      if (exclude.has(this.#documentOf(row).id)) continue;
      const { text, heading = "", question = "" } = this.#load({ row, score: 0, relativeBm25: 0 }, false);
      if (asWord.test(normalise([heading, question, text].join("\n")).text.toLowerCase())) return true;
      if (++looked === MOST_LOOKED_AT) return false;
    }
    return false;
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

  /** The best passages by BM25, and with vectors also by cosine. */
  #rank(
    match: string,
    limit: number,
    admits: (row: number) => boolean,
    vectors: QuestionVectors | undefined,
  ): Ranked[] {
    const byWords = this.#rankByWords(match, vectors ? FUSED_FROM : limit, admits);
    const means = vectors && this.#meanVectors();
    if (!means || !vectors) return byWords;
    const best = byWords[0]?.score ?? 0;
    const candidates = new Map(byWords.map((ranked) => [ranked.row, ranked]));
    const nearest = means.nearest(vectors.mean, FUSED_FROM, admits).map(({ row }) => row);
    const unranked = nearest.filter((row) => !candidates.has(row));
    const bm25Of = this.#bm25Of(match, unranked);
    for (const row of unranked) {
      const bm25 = bm25Of.get(row) ?? 0;
      candidates.set(row, { row, score: bm25, relativeBm25: best > 0 ? bm25 / best : 0 });
    }
    return [...candidates.values()]
      .map((ranked) => {
        const cosine = means.cosineOf(ranked.row, vectors.mean);
        return {
          ...ranked,
          ...(cosine === undefined ? {} : { cosine }),
          score: ranked.relativeBm25 + COSINE_WEIGHT * (cosine ?? 0),
        };
      })
      .sort((a, b) => b.score - a.score || a.row - b.row)
      .slice(0, limit);
  }

  #rankByWords(match: string, limit: number, admits: (row: number) => boolean): Ranked[] {
    const ranked: Ranked[] = [];
    if (match === "") return ranked;
    for (const { rowid, score } of this.#match.iterate(match)) {
      const row = Number(rowid);
      if (!admits(row)) continue;
      const bm25 = -Number(score);
      const best = ranked[0]?.score ?? bm25;
      ranked.push({ row, score: bm25, relativeBm25: best > 0 ? bm25 / best : 0 });
      if (ranked.length === limit) break;
    }
    return ranked;
  }

  /** The BM25 of those of the rows that match. */
  #bm25Of(match: string, rows: readonly number[]): Map<number, number> {
    if (match === "" || rows.length === 0) return new Map();
    const found = this.#scoresOf.all(match, JSON.stringify(rows));
    return new Map(found.map(({ rowid, score }) => [Number(rowid), -Number(score)]));
  }

  #meanVectors(): MeanVectors | undefined {
    if (this.#embedder) this.#means ??= new MeanVectors(this.#db);
    return this.#means;
  }

  #load({ row: number, score, relativeBm25, cosine }: Ranked, withVectors: boolean): RankedPassage {
    const row = this.#findPassage.get(number);
    if (!row) throw new IndexUnusable(`passage ${number} is missing`);
    const document = this.#documentOf(number);
    const vectors = withVectors && cosine !== undefined ? this.#findVectors?.get(number) : undefined;
    return {
      documentId: document.id,
      title: document.title,
      textSha256: document.textSha256,
      ordinal: number - document.firstPassage,
      row: number,
      text: decodeSource(row.source!),
      start: Number(row.start),
      end: Number(row.end),
      score,
      relativeBm25,
      kind: row.kind as RankedPassage["kind"],
      ...(row.heading === null ? {} : { heading: String(row.heading) }),
      ...(row.question === null ? {} : { question: String(row.question) }),
      ...decodeContents(row.contents as Uint8Array),
      ...(vectors && cosine !== undefined
        ? { vectors: { ...decodeTokens(vectors.tokens as Uint8Array), cosine } }
        : {}),
    };
  }
}

const normalisedQuestion = (question: string) => normalise(question.slice(0, LONGEST_QUESTION)).text;

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
  if (version < OLDEST_READABLE_VERSION || version > FORMAT_VERSION) {
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
