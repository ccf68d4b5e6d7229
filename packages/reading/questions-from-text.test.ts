import assert from "node:assert/strict";
import { test } from "node:test";
import { detectLanguage, normalise } from "@caigun/text";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import foreign from "./foreign-questions.json" with { type: "json" };
import { clozeFrom, foreignQuestions, queryFrom } from "./questions-from-text.ts";

test("a query is two telling words of a sentence", () => {
  const sentence = "The office opens at nine in the morning.";
  assert.equal(queryFrom(sentence, "en", 0), "office nine");
  assert.equal(queryFrom(sentence, "en", 1), "opens morning");
  assert.equal(queryFrom("We come and go with them.", "en", 0), undefined);
});

test("a cloze leaves out a number, else the longest telling word", () => {
  assert.deepEqual(clozeFrom("Parking costs 300 euros an hour.", "en", 0), {
    question: "Parking ___ euros",
    answer: "300",
  });
  assert.equal(clozeFrom("The office closes early in the evening.", "en", 0)?.answer, "evening");
  assert.equal(clozeFrom("賣店每週二至週日上午10點營業。", "zh", 0)?.answer, "10");
});

test("questions are made of any text's own words, and a cloze does not give its answer away", () => {
  fc.assert(
    fc.property(arbitraryText, fc.constantFrom("en", "zh", "th", "und"), fc.nat(1000), (text, language, turn) => {
      const own = normalise(text).text;
      const query = queryFrom(text, language, turn);
      if (query !== undefined) for (const word of query.split(" ")) assert.ok(own.includes(word));
      const cloze = clozeFrom(text, language, turn);
      if (!cloze) return;
      assert.ok(own.includes(cloze.answer));
      assert.equal(cloze.question.split(" ").filter((word) => word === "___").length, 1);
      assert.ok(!cloze.question.split(" ").includes(cloze.answer));
    }),
  );
});

test("foreign questions are in the language that they are listed under", () => {
  for (const [language, questions] of Object.entries(foreign)) {
    assert.equal(detectLanguage(questions.join(" ")), language);
    assert.equal(new Set(questions).size, questions.length);
    assert.ok(questions.length >= 12);
    assert.deepEqual(foreignQuestions(language), questions);
  }
  assert.deepEqual(foreignQuestions("toString"), []);
});
