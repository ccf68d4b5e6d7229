import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { EncodingCache } from "@caigun/embedding";
import { pino } from "pino";
import { eventually } from "../../../../testkit/faults/eventually.ts";
import { keepEncodingsPruned } from "./prune-encodings.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-prune-"));
after(() => rmSync(folder, { recursive: true }));

const log = pino({ enabled: false });
const DAY_MS = 24 * 3_600_000;
const limits = { maxBytes: 1e9, maxAgeMs: 7 * DAY_MS };

function countIn(path: string): number {
  const db = new DatabaseSync(path);
  try {
    return Number(db.prepare("SELECT count(*) AS count FROM encodings").get()!.count);
  } finally {
    db.close();
  }
}

test("what nobody used for a week goes where no training comes, and what was used stays", async () => {
  const path = join(folder, "encodings.sqlite");
  const cache = new EncodingCache(path, "model", limits);
  const encoded = { tokens: new Int8Array(4), tokensOfPiece: [1], mean: new Int8Array(4) };
  for (const piece of ["old", "new"]) cache.put([piece], encoded as never);
  cache.close();
  const db = new DatabaseSync(path);
  db.prepare("UPDATE encodings SET used_at = ? WHERE rowid = 1").run(Date.now() - 8 * DAY_MS);
  db.close();
  const stop = new AbortController();
  const pruning = keepEncodingsPruned({ path, limits }, { log }, stop.signal);
  try {
    assert.equal(countIn(path), 2);
    await eventually("the old one goes", 20_000, () => countIn(path) === 1);
  } finally {
    stop.abort();
    await pruning;
  }
  const kept = new EncodingCache(path, "model", limits);
  assert.equal(kept.get(["old"]), undefined);
  assert.notEqual(kept.get(["new"]), undefined);
  kept.close();
});

test("where nothing is kept nothing is made", async () => {
  const path = join(folder, "none.sqlite");
  const stop = new AbortController();
  const pruning = keepEncodingsPruned({ path, limits }, { log }, stop.signal);
  stop.abort();
  await pruning;
  assert.equal(existsSync(path), false);
});
