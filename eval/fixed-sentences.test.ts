import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fixedSentences } from "./fixed-sentences.ts";

const cases: [name: string, text: string, sentences: string[]][] = [
  ["full stops, and other marks", "One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
  ["marks that need no space after them", "第一句。第二句！第三句？第四", ["第一句。", "第二句！", "第三句？", "第四"]],
  ["narrow marks after wide characters", "真的嗎?真的!好", ["真的嗎?", "真的!", "好"]],
  ["closing quotes", 'He said "Stop." She left.', ['He said "Stop."', "She left."]],
  ["closing quotes without a space", "他說「停。」她走了。", ["他說「停。」", "她走了。"]],
  [
    "short forms and initials",
    "Dr. J. Smith of the U.S. Army came. He left.",
    ["Dr. J. Smith of the U.S. Army came.", "He left."],
  ],
  ["numbers", "It costs 3.50 euros. Version 1.2.3 is out.", ["It costs 3.50 euros.", "Version 1.2.3 is out."]],
  ["a mark within a sentence", '"Why?" he asked. Nobody knew.', ['"Why?" he asked.', "Nobody knew."]],
  [
    "the lines of a list or table",
    "Prices\nTea | 3\n\n1. Milk\n2. Sugar",
    ["Prices", "Tea | 3", "1. Milk", "2. Sugar"],
  ],
];

for (const [name, text, sentences] of cases) {
  test(`cuts at ${name}`, () => assert.deepEqual(fixedSentences(text), sentences));
}

test("loses no letter and no digit", () => {
  const characters = fc.constantFrom(...'aB1 .!?。！\n"」U.S中文é');
  fc.assert(
    fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => {
      const letters = (some: string) => some.replace(/[^\p{L}\p{N}]/gu, "");
      assert.equal(letters(fixedSentences(text).join("")), letters(text));
    }),
  );
});
