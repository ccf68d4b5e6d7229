import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance } from "./edit-distance.ts";

const FAR = 100;
const word = fc.string({ unit: fc.constantFrom("a", "b", "c", "é"), maxLength: 9 });

/** All that one insertion, drop, exchange or swap makes of a word. */
function editsOf(word: string): Set<string> {
  const edits = new Set<string>();
  for (let at = 0; at <= word.length; at++) {
    const [before, after] = [word.slice(0, at), word.slice(at)];
    if (after.length > 1) edits.add(before + after[1] + after[0] + after.slice(2));
    if (after.length > 0) edits.add(before + after.slice(1));
    for (const letter of "abcé") {
      edits.add(before + letter + after);
      if (after.length > 0) edits.add(before + letter + after.slice(1));
    }
  }
  return edits.add(word);
}

test("counts what differs, and a swap of neighbours once", () => {
  assert.equal(editDistance("", "", FAR), 0);
  assert.equal(editDistance("hotel", "", FAR), 5);
  assert.equal(editDistance("hotel", "hotle", FAR), 1);
  assert.equal(editDistance("kitten", "sitting", FAR), 3);
  // No letter is touched twice: a swap, and then a letter between the two, would be 2.
  assert.equal(editDistance("ca", "abc", FAR), 3);
});

test("a distance of 1 is exactly what one edit makes", () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b, FAR) <= 1, editsOf(a).has(b));
    }),
  );
  fc.assert(
    fc.property(word, fc.nat(), (a, at) => {
      const edits = [...editsOf(a)];
      assert.ok(editDistance(a, edits[at % edits.length]!, FAR) <= 1);
    }),
  );
});

test("is the same in both directions, and 0 for equal words alone", () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      assert.equal(editDistance(a, b, FAR), editDistance(b, a, FAR));
      assert.equal(editDistance(a, b, FAR) === 0, a === b);
    }),
  );
});

test("a limit changes nothing below it, and is passed where the distance passes it", () => {
  fc.assert(
    fc.property(word, word, fc.integer({ min: 0, max: 3 }), (a, b, limit) => {
      const [distance, limited] = [editDistance(a, b, FAR), editDistance(a, b, limit)];
      if (distance <= limit) assert.equal(limited, distance);
      else assert.ok(limited > limit);
    }),
  );
});
