import { DatabaseSync } from "node:sqlite";

/**
 * A lock that the kernel frees when its holder dies, however it dies: SQLite's fcntl lock, which Node reaches without
 * native code of our own. Nothing may open this file but SQLite, because closing it would free the lock.
 */
export type Lock = { release(): void };

/** A reader looks for some microseconds whether the lock is held; whoever wants the lock waits that out. */
const WAIT_MS = 250;
const SQLITE_BUSY = 5;

/** Kept here because a database that nothing refers to is closed by the garbage collector, and its lock freed. */
const held = new Set<DatabaseSync>();

/** Undefined: another process, or another part of this one, holds it. */
export function takeLock(path: string): Lock | undefined {
  const database = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    database.exec("begin exclusive");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  held.add(database);
  return {
    release() {
      held.delete(database);
      database.close();
    },
  };
}

/** Whether somebody holds the lock; the file need not exist. */
export function isLocked(path: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    database.prepare("select count(*) from sqlite_schema").get();
    return false;
  } catch (error) {
    return isBusy(error);
  } finally {
    database?.close();
  }
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === SQLITE_BUSY;
}
