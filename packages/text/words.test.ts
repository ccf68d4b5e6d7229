import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { isTraditional, normalise, words } from "./index.ts";

const termsOf = (text: string, language: string) => words(text, language).map((word) => word.term);

test("lower-cases, stems, and takes off possessives and diacritics", () => {
  assert.deepEqual(termsOf("The Cafés' owners were RUNNING Müller's shop", "en"), [
    "the",
    "cafe",
    "owner",
    "were",
    "run",
    "muller",
    "shop",
  ]);
  assert.deepEqual(termsOf("Häuser", "de"), termsOf("Haus", "de"));
});

test("knows the words that say little", () => {
  const common = words("What is the price", "en").filter((word) => word.common);
  assert.deepEqual(
    common.map((word) => word.term),
    ["what", "is", "the"],
  );
});

test("Traditional and Simplified Chinese give the same terms at the same places", () => {
  assert.deepEqual(words("傳統中文的電腦", "zh"), words("传统中文的电脑", "zh"));
  assert.equal(isTraditional("電腦"), true);
  assert.equal(isTraditional("电脑"), false);
});

test("a question cut into other words still shares pairs of characters with the text", () => {
  const text = new Set(termsOf("北京大学生活动中心", "zh"));
  assert.ok(termsOf("大学生", "zh").some((term) => text.has(term)));
});

test("marks pieces of a longer word, so that what is said once does not count twice", () => {
  const parts = words("共和国", "zh").filter((word) => !word.part);
  assert.deepEqual(
    parts.map((word) => word.term),
    ["共和国"],
  );
});

test("mixed scripts, Thai, Hangul and numbers give words", () => {
  assert.ok(termsOf("iPhone15的電池", "zh").includes("iphone15"));
  assert.ok(termsOf("ขอบคุณครับ", "th").length >= 2);
  assert.ok(termsOf("환불정책은", "ko").includes("환불"));
  assert.deepEqual(termsOf("don't stop", "en"), ["dont", "stop"]);
});

test("words lie inside the text, in order of their start, and terms hold nothing in ASCII but letters and digits", () => {
  fc.assert(
    fc.property(arbitraryText, fc.constantFrom("en", "zh", "ja", "th", "ar", "de", "ko", "und"), (source, language) => {
      const { text } = normalise(source);
      let previous = 0;
      for (const { term, start, end } of words(text, language)) {
        assert.ok(start >= previous && end > start && end <= text.length);
        assert.match(term, /^[a-z0-9\u0080-\u{10ffff}]+$/u);
        assert.equal(term, term.toLowerCase());
        previous = start;
      }
    }),
  );
});
