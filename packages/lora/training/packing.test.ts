import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { feedsOf, mostSupervised, pack, type Sample } from "./packing.ts";

const arbitrarySample = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 60 }))
  .map(([length, supervisedFrom]) => ({ length, supervisedFrom }));
const arbitraryCase = fc.record({
  sizes: fc.array(arbitrarySample, { maxLength: 30 }),
  length: fc.integer({ min: 2, max: 20 }),
});

/** Every token is another, so that it can be found again. */
function samplesOf(sizes: readonly { length: number; supervisedFrom: number }[]): Sample[] {
  let next = 0;
  return sizes.map(({ length, supervisedFrom }) => ({
    tokens: Array.from({ length }, () => next++),
    supervisedFrom,
  }));
}

describe("samples packed into rows", () => {
  it("ask for each token that is to be learned once, after the one before it, and no row is too long", () => {
    fc.assert(
      fc.property(arbitraryCase, ({ sizes, length }) => {
        const samples = samplesOf(sizes);
        const rows = pack(samples, length);
        const asked = rows.flatMap(({ pieces }) =>
          pieces.flatMap(({ tokens, supervisedFrom }) =>
            tokens.slice(supervisedFrom).map((token, at) => [tokens[supervisedFrom + at - 1], token]),
          ),
        );
        const expected = samples.flatMap(({ tokens, supervisedFrom }) =>
          tokens.slice(supervisedFrom).map((token) => [token - 1, token]),
        );
        assert.deepEqual(
          asked.sort((a, b) => a[1]! - b[1]!),
          expected,
        );
        for (const row of rows) {
          const sizes = row.pieces.map(({ tokens }) => tokens.length);
          assert.equal(
            row.length,
            sizes.reduce((sum, size) => sum + size, 0),
          );
          assert(row.length <= length);
          assert.equal(
            row.supervised,
            row.pieces.reduce((sum, { tokens, supervisedFrom }) => sum + tokens.length - supervisedFrom, 0),
          );
          assert(row.supervised > 0);
        }
        assert.deepEqual(pack(samples, length), rows);
      }),
    );
  });

  it("are whole and in a row where they fit, a part of a longer one begins with the last's end", () => {
    const [a, b, c] = samplesOf([
      { length: 4, supervisedFrom: 2 },
      { length: 7, supervisedFrom: 1 },
      { length: 2, supervisedFrom: 1 },
    ]) as [Sample, Sample, Sample];
    assert.deepEqual(pack([a, c], 6), [{ pieces: [a, c], length: 6, supervised: 3 }]);
    assert.deepEqual(pack([b], 4), [
      { pieces: [{ tokens: [4, 5, 6, 7], supervisedFrom: 1 }], length: 4, supervised: 3 },
      { pieces: [{ tokens: [7, 8, 9, 10], supervisedFrom: 1 }], length: 4, supervised: 3 },
    ]);
  });

  it("are refused where a first token is asked for", () => {
    assert.throws(() => pack([{ tokens: [1, 2], supervisedFrom: 0 }], 4), /before a sample's first token/);
  });

  it("come as inputs in which each row's segments stand apart and positions begin anew", () => {
    fc.assert(
      fc.property(arbitraryCase, fc.integer({ min: 1, max: 4 }), ({ sizes, length }, batch) => {
        const rows = pack(samplesOf(sizes), length).slice(0, batch);
        const supervised = mostSupervised(rows, batch);
        const feeds = feedsOf(rows, { batch, length, supervised: supervised + 2 }, 0.5);
        const asked = rows.reduce((sum, row) => sum + row.supervised, 0);
        assert.equal(supervised, asked);
        assert.deepEqual([...feeds.weights], [...Array(asked).fill(0.5), 0, 0]);
        for (let at = 0; at < asked; at++) {
          // The token that is asked for stands after the row's place, in the same segment.
          const place = Number(feeds.rows[at]);
          assert.equal(feeds.tokens[place + 1], feeds.targets[at]);
          assert.equal(feeds.segments[place + 1], feeds.segments[place]);
          assert.notEqual(feeds.segments[place], 0n);
        }
        for (let place = 0; place < batch * length; place++) {
          const continues = place % length > 0 && feeds.segments[place] === feeds.segments[place - 1];
          const filled = feeds.segments[place] === 0n;
          assert.equal(feeds.positions[place], continues && !filled ? feeds.positions[place - 1]! + 1n : 0n);
        }
      }),
    );
  });
});
