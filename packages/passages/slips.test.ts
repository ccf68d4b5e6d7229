import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { editDistance } from "./edit-distance.ts";
import { singleSlip } from "./slips.ts";

const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 9 });

test("tells usual slips from others", () => {
  for (const typed of ["hotle", "hoel", "hotell", "hhotel"]) assert.equal(singleSlip("hotel", typed), "usual", typed);
  for (const typed of ["hodel", "hotels", "hoptel", "motel"])
    assert.equal(singleSlip("hotel", typed), "unusual", typed);
  for (const typed of ["hotel", "hto", "hotlex", "", "plaer"])
    assert.equal(singleSlip("hotel", typed), undefined, typed);
  assert.equal(singleSlip("plea", "plaer"), undefined);
});

test("there is a single slip where the distance is 1, and nowhere else", () => {
  const oneOff = fc
    .tuple(word, fc.nat(8), fc.constantFrom("", "a", "b"))
    .map(([word, at, letter]): [string, string] => {
      return [word, word.slice(0, at) + letter + word.slice(at + 1)];
    });
  fc.assert(
    fc.property(fc.oneof(oneOff, fc.tuple(word, word)), ([meant, typed]) => {
      assert.equal(singleSlip(meant, typed) !== undefined, editDistance(meant, typed, 9) === 1);
    }),
    { numRuns: 1000 },
  );
});
