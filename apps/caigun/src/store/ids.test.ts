import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { newId } from "./ids.ts";
import { fromStoredText, toStoredText } from "./stored-text.ts";

test("an id is greater than every one made before", () => {
  const ids = Array.from({ length: 20_000 }, newId);
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids.slice(0, 100))
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("any string survives being stored, and what is stored is text that PostgreSQL takes", () => {
  const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x1a, 0xd800, 0xdc00)));
  fc.assert(
    fc.property(units, (codes) => {
      const text = String.fromCharCode(...codes);
      const stored = toStoredText(text);
      return stored.isWellFormed() && !stored.includes("\0") && fromStoredText(stored) === text;
    }),
  );
});
