import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";
import type { EncodedPassage } from "./encoder.ts";

/** Raised whenever what is kept means something else. */
const VERSION = 1;
const BUSY_MS = 5_000;

export interface CacheLimits {
  /** Of all that is kept; the least recently used goes first. */
  maxBytes: number;
  /** What nobody has used for this long goes: it may be of a text that was deleted. */
  maxAgeMs: number;
}

/**
 * Encoded passages by what was encoded: a text that is trained again costs only what changed. It holds vectors and no
 * text. A file that can't be read is made anew: it saves time and nothing else depends on it.
 */
export class EncodingCache {
  readonly #db: DatabaseSync;
  readonly #embedderDigest: string;
  readonly #limits: CacheLimits;
  readonly #find: StatementSync;
  readonly #touch: StatementSync;
  readonly #insert: StatementSync;

  /** `embedderDigest` names the model's bytes, so that another model's vectors are never taken for its own. */
  constructor(path: string, embedderDigest: string, limits: CacheLimits) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      this.#db = openCache(path);
    } catch {
      for (const ending of ["", "-wal", "-shm"]) rmSync(path + ending, { force: true });
      this.#db = openCache(path);
    }
    this.#embedderDigest = embedderDigest;
    this.#limits = limits;
    this.#find = this.#db.prepare("SELECT value FROM encodings WHERE key = ?");
    this.#touch = this.#db.prepare("UPDATE encodings SET used_at = ? WHERE key = ?");
    this.#insert = this.#db.prepare("INSERT OR REPLACE INTO encodings VALUES (?, ?, ?)");
  }

  get(pieces: readonly string[]): EncodedPassage | undefined {
    const key = this.#keyOf(pieces);
    const row = this.#find.get(key);
    if (!row) return undefined;
    this.#touch.run(Date.now(), key);
    return deserialize(row.value as Uint8Array) as EncodedPassage;
  }

  put(pieces: readonly string[], encoded: EncodedPassage): void {
    this.#insert.run(this.#keyOf(pieces), Date.now(), serialize(encoded));
  }

  /** Removes what is too old or too much. */
  prune(): void {
    const { maxAgeMs, maxBytes } = this.#limits;
    this.#db.prepare("DELETE FROM encodings WHERE used_at < ?").run(Date.now() - maxAgeMs);
    this.#db
      .prepare(
        `DELETE FROM encodings WHERE key IN (
          SELECT key FROM (
            SELECT key, sum(length(value)) OVER (ORDER BY used_at DESC, key) AS bytes FROM encodings
          ) WHERE bytes > ?)`,
      )
      .run(maxBytes);
    this.#db.exec("PRAGMA incremental_vacuum");
  }

  close(): void {
    this.#db.close();
  }

  #keyOf(pieces: readonly string[]): Uint8Array {
    const hash = createHash("sha256").update(this.#embedderDigest);
    for (const piece of pieces) hash.update("\0").update(piece);
    return hash.digest();
  }
}

function openCache(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;");
    const version = Number(db.prepare("PRAGMA user_version").get()!.user_version);
    if (version !== VERSION) db.exec("DROP TABLE IF EXISTS encodings");
    db.exec(`CREATE TABLE IF NOT EXISTS encodings (key BLOB PRIMARY KEY, used_at INTEGER NOT NULL, value BLOB NOT NULL);
      CREATE INDEX IF NOT EXISTS encodings_by_use ON encodings (used_at); PRAGMA user_version = ${VERSION};`);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
