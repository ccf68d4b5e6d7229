import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { withTypos } from "./typos.ts";

test("every second content word gets one typo, the same each time", () => {
  const questions = ["elephant giraffe crocodile zebra antelope"];
  const [made] = withTypos(questions)!;
  assert.deepEqual(withTypos(questions), [made]);
  const words = made!.split(" ");
  const asked = questions[0]!.split(" ");
  for (const [at, word] of asked.entries()) {
    if (at % 2 === 1) assert.equal(words[at], word);
    else assert.ok(isOneTypo(word, words[at]!), `${word} became ${words[at]}`);
  }
});

test("words that many questions hold, and short ones, are left as they are", () => {
  const questions = ["which fox runs", "which elephant sleeps", "which cow eats"];
  for (const question of withTypos(questions)!) assert.match(question, /^which /);
  assert.match(withTypos(questions)![0]!, /^which fox /);
});

test("a script without spaces gets none", () => {
  assert.equal(withTypos(["茶館在哪裡？", "ร้านเปิดกี่โมง"]), undefined);
});

test("a word never stays as it was", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abcdeé"), minLength: 4, maxLength: 12 });
  fc.assert(
    fc.property(word, (word) => {
      const [made] = withTypos([word])!;
      // Within "aaaa" a letter more or less is all that can be told.
      assert.ok(isOneTypo(word, made!), `${word} became ${made}`);
    }),
  );
});

function isOneTypo(word: string, made: string): boolean {
  const letters = [...word];
  return letters.some((letter, at) => {
    const next = letters[at + 1];
    const head = letters.slice(0, at).join("");
    const rest = letters.slice(at + 1).join("");
    const swapped =
      next !== undefined && next !== letter && `${head}${next}${letter}${letters.slice(at + 2).join("")}` === made;
    return swapped || `${head}${rest}` === made || `${head}${letter}${letter}${rest}` === made;
  });
}
