import type { SQLOutputValue } from "node:sqlite";

/** "CaiG": marks the SQLite file as one of ours. */
export const APPLICATION_ID = 0x43616947;
/** Raised whenever the tables, the meaning of a column, or the way words are made change. */
export const FORMAT_VERSION = 4;
/** Format 3 is format 2 with two more tables, for vectors; format 4 has two more, for spellings. */
export const OLDEST_READABLE_VERSION = 2;
export const VECTORS_SINCE_VERSION = 3;
export const SPELLINGS_SINCE_VERSION = 4;

export const VECTORS_TABLE =
  "CREATE TABLE vectors (ordinal INTEGER PRIMARY KEY, mean BLOB NOT NULL, tokens BLOB NOT NULL)";

/** The words as they are written, without marks (`written` has these where there are some), and turned for a search by their end. */
export const SPELLINGS_TABLES = `
  CREATE TABLE spellings (word TEXT PRIMARY KEY, written TEXT) WITHOUT ROWID;
  CREATE TABLE spellings_by_end (turned TEXT PRIMARY KEY) WITHOUT ROWID;
`;

export const SCHEMA = `
  CREATE TABLE documents (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, title TEXT NOT NULL, text_sha256 TEXT NOT NULL,
    code_points INTEGER NOT NULL, language TEXT NOT NULL, first_passage INTEGER NOT NULL, passages INTEGER NOT NULL
  );
  CREATE TABLE passages (
    ordinal INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    kind TEXT NOT NULL, heading TEXT, question TEXT, source BLOB NOT NULL, contents BLOB NOT NULL
  );
  CREATE TABLE terms (term TEXT PRIMARY KEY, id INTEGER NOT NULL, passages INTEGER NOT NULL) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5(lead, body, content='', tokenize='ascii');
  CREATE TABLE embedder (name TEXT NOT NULL, digest TEXT NOT NULL);
  ${VECTORS_TABLE};
  ${SPELLINGS_TABLES}
`;

/** A file that is no index, is damaged, or was written by another version. */
export class IndexUnusable extends Error {
  override name = "IndexUnusable";
}

const UTF8 = 0;
const UTF16 = 1;

/** A passage as sent. UTF-8, or UTF-16 where lone surrogates would be lost. */
export function encodeSource(source: string): Uint8Array {
  const bytes = Buffer.from(source, source.isWellFormed() ? "utf8" : "utf16le");
  return Buffer.concat([Buffer.from([source.isWellFormed() ? UTF8 : UTF16]), bytes]);
}

export function decodeSource(stored: SQLOutputValue): string {
  if (!(stored instanceof Uint8Array) || stored.length === 0) throw new IndexUnusable("a passage has no text");
  const bytes = Buffer.from(stored.buffer, stored.byteOffset + 1, stored.length - 1);
  return bytes.toString(stored[0] === UTF8 ? "utf8" : "utf16le");
}
