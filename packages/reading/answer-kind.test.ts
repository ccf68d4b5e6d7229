import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { mayAnswerOf } from "./answer-kind.ts";

const cases: [string, string, string, boolean][] = [
  ["How long is the walk?", "en", "It is 24 kilometres long.", true],
  ["How long is the walk?", "en", "The walk begins at the harbour.", false],
  ["When do they meet?", "en", "They meet on Mondays or every monday.", true],
  ["When do they meet?", "en", "They often meet.", false],
  ["Who walks?", "en", "The guide walks.", true],
  ["What happens when it rains?", "en", "The walk is put off.", true],
  // "ten" stands within "often", "may" within "mayor".
  ["How many came?", "en", "The mayor often comes.", false],
  ["包廂低消多少？", "zh", "包廂可以坐人。", false],
  ["包廂低消多少？", "zh", "包廂低消三千元。", true],
  ["誰開的？", "zh", "林先生開的。", true],
  // A language without words for it.
  ["Wie lang ist der Weg?", "de", "Der Weg beginnt am Hafen.", true],
];
for (const [question, language, sentence, expected] of cases)
  test(`"${sentence}" ${expected ? "may" : "can't"} answer "${question}"`, () =>
    assert.equal(mayAnswerOf(question, language)(sentence), expected));

test("any question and sentence can be judged", () => {
  fc.assert(
    fc.property(arbitraryText, arbitraryText, fc.constantFrom("en", "zh", "und"), (question, sentence, language) => {
      assert.equal(typeof mayAnswerOf(question, language)(sentence), "boolean");
      assert.equal(mayAnswerOf(question, language)(`${sentence} 7`), true);
    }),
  );
});
