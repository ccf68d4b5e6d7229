import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { cutPassages, normalise, sentences } from "./index.ts";

test("offsets map back monotonically, from the beginning to the end of the sent text", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      const { text, toSource } = normalise(source);
      let previous = 0;
      for (let offset = 0; offset <= text.length; offset++) {
        const at = toSource(offset);
        assert.ok(at >= previous && at <= source.length);
        previous = at;
      }
      assert.equal(previous, source.length);
    }),
  );
});

test("between the end of a character and the beginning of the next stands only what is invisible", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      const { text, toSource, toSourceEnd } = normalise(source);
      let previous = 0;
      for (let offset = 0; offset <= text.length; offset++) {
        const end = toSourceEnd(offset);
        assert.ok(end >= previous && end <= toSource(offset));
        assert.equal(normalise(source.slice(end, toSource(offset))).text, "");
        previous = end;
      }
    }),
  );
  const { toSource, toSourceEnd } = normalise("\u200ba\u200b\u200bﬁ\u200b");
  assert.deepEqual([0, 1, 2, 3].map(toSourceEnd), [0, 2, 4, 5]);
  assert.deepEqual([0, 1, 2, 3].map(toSource), [1, 4, 4, 6]);
});

test("the sent text of every passage and sentence normalises to that passage or sentence", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      const normal = normalise(source);
      const { text, toSource, toSourceEnd } = normal;
      for (const { start, end } of [...cutPassages(text, normal), ...sentences(text)]) {
        assert.equal(normalise(source.slice(toSource(start), toSource(end))).text, text.slice(start, end));
        assert.equal(normalise(source.slice(toSource(start), toSourceEnd(end))).text, text.slice(start, end));
      }
    }),
    { numRuns: 500 },
  );
});

test("normalising again changes nothing", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      // A mark meets its letter only once the invisible character between them is gone.
      fc.pre(!/[\u00ad\u200b\u2060\ufeff\u200e\u200f][\p{M}\u1160-\u11ff\uff9e\uff9f\uffa0-\uffdc]/u.test(source));
      const once = normalise(source).text;
      assert.equal(normalise(once).text, once);
    }),
  );
});

test("folds widths, line ends, odd spaces and invisible characters, and keeps their places", () => {
  const { text, toSource } = normalise("ＡＢ\r\nso\u00adft\u00a0ﬁn\u0000\ud800");
  assert.equal(text, "AB\nsoft fin \ufffd");
  assert.equal(toSource(text.indexOf("\n")), 2);
  assert.equal(toSource(text.indexOf("soft")), 4);
  assert.equal(toSource(text.indexOf("ft")), 7);
  assert.equal(toSource(text.indexOf("fin")), 10);
  assert.equal(toSource(text.indexOf("in")), 10, "inside the ligature there is no place of its own");
  assert.equal(toSource(text.indexOf("\ufffd")), 13);
});

test("composes marks and Hangul, and leaves accents that stand alone", () => {
  assert.equal(normalise("e\u0301").text, "é");
  assert.equal(normalise("\u1112\u1161\u11ab").text, "한");
  assert.equal(normalise("ｶﾞ").text, "ガ");
  assert.equal(normalise("\u00a8").text, "\u00a8");
});
