import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { type EncodedPassage, EncodingCache } from "./index.ts";

const DAY_MS = 24 * 3_600_000;
const LIMITS = { maxBytes: 1e9, maxAgeMs: 7 * DAY_MS };

function cachePath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "caigun-cache-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "below", "encodings.sqlite");
}

/** Vectors of some bytes, told apart by their first. */
function encoding(first: number, length = 128): EncodedPassage {
  const tokens = new Int8Array(length).fill(3);
  tokens[0] = first;
  return { tokens, tokensOfPiece: [length / 128], mean: Int8Array.of(127, first), meanScale: 0.25 };
}

test("gives back what was put, also after it was closed", (t) => {
  const path = cachePath(t);
  const pieces = ["Prices", "Parking costs three euros."];
  const cache = new EncodingCache(path, "model", LIMITS);
  assert.equal(cache.get(pieces), undefined);
  cache.put(pieces, encoding(1));
  assert.deepEqual(cache.get(pieces), encoding(1));
  cache.close();
  const again = new EncodingCache(path, "model", LIMITS);
  assert.deepEqual(again.get(pieces), encoding(1));
  again.close();
  const otherModel = new EncodingCache(path, "another model", LIMITS);
  assert.equal(otherModel.get(pieces), undefined, "another model's vectors are not its own");
  otherModel.close();
});

test("other pieces are another passage, also where they are the same text", (t) => {
  const cache = new EncodingCache(cachePath(t), "model", LIMITS);
  // Pieces are of normalised text, which holds no NUL.
  const pieces = fc.array(
    fc.string().map((text) => text.replaceAll("\0", "")),
    { maxLength: 4 },
  );
  fc.assert(
    fc.property(pieces, pieces, (one, other) => {
      fc.pre(JSON.stringify(one) !== JSON.stringify(other));
      cache.put(one, encoding(1));
      cache.put(other, encoding(2));
      assert.deepEqual(cache.get(one), encoding(1));
      assert.deepEqual(cache.get(other), encoding(2));
    }),
    { numRuns: 50 },
  );
  cache.close();
});

test("a file that is none of its own is made anew", (t) => {
  const path = cachePath(t);
  new EncodingCache(path, "model", LIMITS).close();
  for (const damage of [Buffer.from("no database"), Buffer.alloc(8192, 7)]) {
    writeFileSync(path, damage);
    const cache = new EncodingCache(path, "model", LIMITS);
    cache.put(["a"], encoding(1));
    assert.deepEqual(cache.get(["a"]), encoding(1));
    cache.close();
  }
});

test("what nobody has used for long goes; what was used meanwhile stays", (t) => {
  const path = cachePath(t);
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const cache = new EncodingCache(path, "model", LIMITS);
  cache.put(["old"], encoding(1));
  cache.put(["used"], encoding(2));
  t.mock.timers.tick(5 * DAY_MS);
  cache.get(["used"]);
  t.mock.timers.tick(3 * DAY_MS);
  cache.prune();
  assert.equal(cache.get(["old"]), undefined);
  assert.deepEqual(cache.get(["used"]), encoding(2));
  cache.close();
});

test("what is too much goes, the least recently used first, and the file gets smaller", (t) => {
  const path = cachePath(t);
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const each = 128 * 1024;
  const cache = new EncodingCache(path, "model", { ...LIMITS, maxBytes: 3.5 * each });
  for (let number = 0; number < 8; number++) {
    cache.put([`passage ${number}`], encoding(number, each));
    t.mock.timers.tick(1_000);
  }
  cache.get(["passage 1"]);
  cache.prune();
  const kept = Array.from({ length: 8 }, (_, number) => number).filter((number) => cache.get([`passage ${number}`]));
  assert.deepEqual(kept, [1, 6, 7]);
  cache.close();
  assert(statSync(path).size < 4.5 * each, `${statSync(path).size} bytes`);
});

test("a value that can't be read is a miss, and the file is made anew", (t) => {
  const path = cachePath(t);
  const cache = new EncodingCache(path, "model", LIMITS);
  cache.put(["a"], encoding(1));
  const db = new DatabaseSync(path);
  db.exec("UPDATE encodings SET value = x'00'");
  db.close();
  assert.equal(cache.get(["a"]), undefined);
  cache.put(["a"], encoding(2));
  assert.deepEqual(cache.get(["a"]), encoding(2));
  cache.close();
});

test("a file whose pages are damaged below its header fails nobody", (t) => {
  const path = cachePath(t);
  const before = new EncodingCache(path, "model", LIMITS);
  for (let number = 0; number < 50; number++) before.put([`${number}`], encoding(number, 1280));
  before.close();
  const { size } = statSync(path);
  truncateSync(path, 4096);
  truncateSync(path, size); // all pages but the first are zeros
  const cache = new EncodingCache(path, "model", LIMITS);
  assert.equal(cache.get(["1"]), undefined);
  cache.put(["1"], encoding(1));
  assert.deepEqual(cache.get(["1"]), encoding(1));
  cache.prune();
  cache.close();
});

test("a locked file is left as it is, and opening one of this version writes nothing", (t) => {
  const path = cachePath(t);
  const before = new EncodingCache(path, "model", LIMITS);
  before.put(["a"], encoding(1));
  before.close();
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const cache = new EncodingCache(path, "model", LIMITS);
  assert.deepEqual(cache.get(["a"]), encoding(1), "a reader does not wait for a writer");
  cache.put(["b"], encoding(2));
  assert.equal(cache.get(["b"]), undefined);
  cache.prune();
  cache.close();
  other.exec("ROLLBACK");
  other.close();
  const after = new EncodingCache(path, "model", LIMITS);
  assert.deepEqual(after.get(["a"]), encoding(1));
  after.close();
});

test("where there can be no file, there is no cache", (t) => {
  const path = cachePath(t);
  mkdirSync(path, { recursive: true });
  const cache = new EncodingCache(path, "model", LIMITS);
  cache.put(["a"], encoding(1));
  assert.equal(cache.get(["a"]), undefined);
  cache.prune();
  cache.close();
});
