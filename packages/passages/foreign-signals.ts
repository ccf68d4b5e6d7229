import { DatabaseSync } from "node:sqlite";

/** Means by name: what a reader sees in this index when it is asked about other things. Here they are only kept. */
export type ForeignSignals = Readonly<Record<string, number>>;

/** Decimal places that are kept. */
const PLACES = 4;

/** Adds them to an index that buildIndex has just written. Other versions read such a file as if they were not there. */
export function addForeignSignals(path: string, means: ForeignSignals): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN");
    db.exec("CREATE TABLE foreign_signals (name TEXT PRIMARY KEY, mean REAL NOT NULL) WITHOUT ROWID");
    const insert = db.prepare("INSERT INTO foreign_signals VALUES (?, ?)");
    // In one order, so that the same means give the same bytes.
    for (const name of Object.keys(means).sort()) insert.run(name, Number(means[name]!.toFixed(PLACES)));
    db.exec("COMMIT");
  } finally {
    db.close();
  }
}

/** Undefined where an index has none. */
export function foreignSignalsOf(db: DatabaseSync): ForeignSignals | undefined {
  if (!db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'foreign_signals'").get())
    return undefined;
  const rows = db.prepare("SELECT name, mean FROM foreign_signals").all();
  return Object.fromEntries(rows.map(({ name, mean }) => [String(name), Number(mean)]));
}
