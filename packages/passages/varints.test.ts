import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeContents, encodeContents } from "./contents.ts";
import { VarintReader, VarintWriter } from "./varints.ts";

test("numbers come back as they were written", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 300 }), (numbers) => {
      const writer = new VarintWriter();
      for (const number of numbers) writer.push(number);
      const reader = new VarintReader(writer.take());
      const read: number[] = [];
      while (!reader.done) read.push(reader.next());
      assert.deepEqual(read, numbers);
    }),
  );
});

test("a passage's contents come back as they were written", () => {
  const ids = fc.uniqueArray(fc.nat(), { maxLength: 20 }).map((terms) => terms.sort((a, b) => a - b));
  const spans = fc.array(fc.record({ gap: fc.nat(9), length: fc.integer({ min: 1, max: 900 }), terms: ids }));
  fc.assert(
    fc.property(fc.nat(5000), ids, spans, (answerStart, leadTerms, pieces) => {
      let at = 0;
      const sentences = pieces.map(({ gap, length, terms }) => {
        const start = at + gap;
        at = start + length;
        return { start, end: at, terms };
      });
      const contents = { answerStart, leadTerms, sentences };
      assert.deepEqual(decodeContents(encodeContents(new VarintWriter(), contents)), contents);
    }),
  );
});

test("a number that is cut off is an error, not a wrong number", () => {
  assert.throws(() => new VarintReader(Uint8Array.of(0x80)).next(), RangeError);
  assert.throws(() => new VarintReader(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0x01)).next(), RangeError);
});
