import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stableCuts } from "./stable-cuts.ts";

const items = fc.array(fc.record({ text: fc.string({ maxLength: 20 }), columns: fc.integer({ min: 1, max: 90 }) }), {
  maxLength: 60,
});

test("pieces are not wider than the most, unless a single item is, and neither the first nor the last is narrower than the least unless the most cuts it", () => {
  fc.assert(
    fc.property(items, (all) => {
      const cuts = [0, ...stableCuts(all, { least: 100, most: 300 }), all.length];
      for (const [nth, cut] of cuts.slice(0, -1).entries()) {
        const piece = all.slice(cut, cuts[nth + 1]);
        const width = piece.reduce((sum, { columns }) => sum + columns, 0);
        assert(width <= 300, `${width} columns`);
      }
      const width = all.reduce((sum, { columns }) => sum + columns, 0);
      if (width <= 200) assert.equal(cuts.length, 2);
    }),
  );
});

test("what comes after a cut is cut as it would be alone", () => {
  fc.assert(
    fc.property(items, items, (before, after) => {
      const limits = { least: 100, most: 1e9 };
      const cuts = [...stableCuts([...before, ...after], limits)].filter((cut) => cut >= before.length);
      const alone = [...stableCuts(after, limits)].map((cut) => cut + before.length);
      // Within reach of where they meet both see something else.
      const width = (to: number) => after.slice(0, to - before.length).reduce((sum, { columns }) => sum + columns, 0);
      const beyond = (some: number[]) => some.filter((cut) => width(cut) > 100);
      assert.deepEqual(beyond(cuts), beyond(alone));
    }),
  );
});
