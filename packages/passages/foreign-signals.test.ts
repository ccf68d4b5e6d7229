import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertDamageIsNoticed } from "../../testkit/damaged-pages.ts";
import { addForeignSignals, buildIndex, openIndex, probeIndex } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-foreign-signals-"));
after(() => rmSync(folder, { recursive: true }));
const documents = [{ id: "d", title: "Parking", text: "Parking costs three euros an hour." }];
const means = { sentence: 0.123456, background: -1 / 3, length: 0 };

function indexWith(name: string, signals: Record<string, number> = means): string {
  const path = join(folder, name);
  buildIndex(path, documents);
  addForeignSignals(path, signals);
  return path;
}

test("what was added comes with each search, to four decimal places; an index without it has none", () => {
  const index = openIndex(indexWith("with"));
  for (const question of ["parking", "nothing of this"])
    assert.deepEqual(index.search(question, 1).foreignSignals, { sentence: 0.1235, background: -0.3333, length: 0 });
  assert.ok(probeIndex(index, documents).ok);
  index.close();
  const path = join(folder, "without");
  buildIndex(path, documents);
  const without = openIndex(path);
  assert.equal("foreignSignals" in without.search("parking", 1), false);
  without.close();
});

test("the same signals give the same bytes, in whatever order they come", () => {
  const turned = Object.fromEntries(Object.entries(means).reverse());
  assert.ok(readFileSync(indexWith("one")).equals(readFileSync(indexWith("two", turned))));
});

test("a damaged page of the file is noticed", () => assertDamageIsNoticed(indexWith("whole"), documents));
