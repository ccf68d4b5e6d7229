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

/** SQLite's result codes (https://sqlite.org/rescode.html), without their extensions. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** What stands in the file is no encoded passage. */
class ValueDamaged extends Error {
  override name = "ValueDamaged";
}

interface OpenCache {
  db: DatabaseSync;
  find: StatementSync;
  touch: StatementSync;
  insert: StatementSync;
}

/**
 * Encoded passages by what was encoded: a text that is trained again costs only what changed. It holds vectors and no
 * text. It saves time and nothing else depends on it: nothing here throws. A damaged file is made anew once; what is
 * locked or can't be opened is left alone, and there is no cache then.
 */
export class EncodingCache {
  readonly #path: string;
  readonly #embedderDigest: string;
  readonly #limits: CacheLimits;
  #open: OpenCache | undefined;
  #wasRemade = false;

  /** `embedderDigest` names the model's bytes, so that another model's vectors are never taken for its own. */
  constructor(path: string, embedderDigest: string, limits: CacheLimits) {
    this.#path = path;
    this.#embedderDigest = embedderDigest;
    this.#limits = limits;
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      this.#open = openCache(path);
    } catch (error) {
      this.#recover(error);
    }
  }

  /** Undefined: it was not put, or can't be read. */
  get(pieces: readonly string[]): EncodedPassage | undefined {
    const key = this.#keyOf(pieces);
    const encoded = this.#try(({ find }) => {
      const row = find.get(key);
      return row && decode(row.value as Uint8Array);
    });
    if (encoded) this.#try(({ touch }) => touch.run(Date.now(), key));
    return encoded;
  }

  put(pieces: readonly string[], encoded: EncodedPassage): void {
    this.#try(({ insert }) => insert.run(this.#keyOf(pieces), Date.now(), serialize(encoded)));
  }

  /** Removes what is too old or too much. */
  prune(): void {
    const { maxAgeMs, maxBytes } = this.#limits;
    this.#try(({ db }) => {
      db.prepare("DELETE FROM encodings WHERE used_at < ?").run(Date.now() - maxAgeMs);
      db.prepare(
        `DELETE FROM encodings WHERE key IN (
          SELECT key FROM (
            SELECT key, sum(length(value)) OVER (ORDER BY used_at DESC, key) AS bytes FROM encodings
          ) WHERE bytes > ?)`,
      ).run(maxBytes);
      db.exec("PRAGMA incremental_vacuum");
    });
  }

  close(): void {
    const open = this.#open;
    this.#open = undefined;
    try {
      open?.db.close();
    } catch {
      // What could not be written down at the end is encoded again.
    }
  }

  #try<T>(use: (open: OpenCache) => T): T | undefined {
    if (!this.#open) return undefined;
    try {
      return use(this.#open);
    } catch (error) {
      this.#recover(error);
      return undefined;
    }
  }

  #recover(error: unknown): void {
    const code = resultCode(error);
    // Each further look at a locked file would wait as long again.
    const isLocked = code === SQLITE_BUSY || code === SQLITE_LOCKED;
    const isDamaged = code === SQLITE_CORRUPT || code === SQLITE_NOTADB || error instanceof ValueDamaged;
    // Of anything else, such as a full disk, what was kept can still be read.
    if (isLocked || isDamaged) this.close();
    if (!isDamaged || this.#wasRemade) return;
    this.#wasRemade = true;
    try {
      for (const ending of ["", "-wal", "-shm"]) rmSync(this.#path + ending, { force: true });
      this.#open = openCache(this.#path);
    } catch {
      // No cache, then.
    }
  }

  #keyOf(pieces: readonly string[]): Uint8Array {
    const hash = createHash("sha256").update(this.#embedderDigest);
    for (const piece of pieces) hash.update("\0").update(piece);
    return hash.digest();
  }
}

function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

function decode(value: Uint8Array): EncodedPassage {
  try {
    return deserialize(value) as EncodedPassage;
  } catch (error) {
    throw new ValueDamaged("An encoded passage can't be read.", { cause: error });
  }
}

function openCache(path: string): OpenCache {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    const isCurrent = versionOf(db) === VERSION;
    // It has to be set before anything is written, and is itself a write.
    if (!isCurrent) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;");
    if (!isCurrent) createTable(db);
    return {
      db,
      find: db.prepare("SELECT value FROM encodings WHERE key = ?"),
      touch: db.prepare("UPDATE encodings SET used_at = ? WHERE key = ?"),
      insert: db.prepare("INSERT OR REPLACE INTO encodings VALUES (?, ?, ?)"),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

function createTable(db: DatabaseSync): void {
  db.exec("BEGIN IMMEDIATE");
  // Another process may have made it while this one waited.
  if (versionOf(db) !== VERSION)
    db.exec(`DROP TABLE IF EXISTS encodings;
      CREATE TABLE encodings (key BLOB PRIMARY KEY, used_at INTEGER NOT NULL, value BLOB NOT NULL);
      CREATE INDEX encodings_by_use ON encodings (used_at); PRAGMA user_version = ${VERSION};`);
  db.exec("COMMIT");
}

const versionOf = (db: DatabaseSync) => Number(db.prepare("PRAGMA user_version").get()!.user_version);
