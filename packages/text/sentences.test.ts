import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { normalise, sentences } from "./index.ts";

const cut = (text: string) => sentences(text).map(({ start, end }) => text.slice(start, end));

test("ends at sentence marks, not at short forms, initials or decimals", () => {
  assert.deepEqual(cut('Dr. J. Smith paid $3.50 at 5 p.m. yesterday. "Really?" she asked. It is. Yes!'), [
    "Dr. J. Smith paid $3.50 at 5 p.m. yesterday.",
    '"Really?" she asked.',
    "It is.",
    "Yes!",
  ]);
});

test("the number of an item is no sentence", () => {
  assert.deepEqual(cut("1. Open the lid.\n2. Press the button."), ["1. Open the lid.", "2. Press the button."]);
  assert.deepEqual(cut("It opened in 1990. Then it closed."), ["It opened in 1990.", "Then it closed."]);
});

test("needs no space after a mark of a script without spaces", () => {
  assert.deepEqual(cut("退款需要三十天。可以嗎?可以!請寫信給「客服。」謝謝"), [
    "退款需要三十天。",
    "可以嗎?",
    "可以!",
    "請寫信給「客服。」",
    "謝謝",
  ]);
  assert.deepEqual(cut("مرحبا؟ نعم. यह है। हाँ"), ["مرحبا؟", "نعم.", "यह है।", "हाँ"]);
});

test("joins wrapped lines that hold a tab or bars, and are no rows", () => {
  for (const wrapped of [
    "•\tThe warranty covers every moving part of the machine for\ntwo years.",
    "1.\tThe warranty covers every moving part of the machine for\ntwo years.",
    "If x is negative then |x| is taken in its place, and the value is\nnever below zero.",
    "Use a || b where either of the two conditions may hold, and write\nboth on one line.",
  ])
    assert.deepEqual(cut(wrapped), [wrapped]);
});

test("joins wrapped lines and separates short ones and rows of tables", () => {
  const wrapped = "The warranty covers every part of the machine for\ntwo years.";
  assert.deepEqual(cut(wrapped), [wrapped]);
  const rows = [
    "| Single room | 60 euros a night | 80 euros a night |",
    "| Double room | 90 euros a night | 120 euros a night |",
  ];
  assert.deepEqual(cut(rows.join("\n")), rows);
  const marks = ["| Mon. | opens at ten. It is quiet. |", "| Suite. Garden view! | 150 euros; 210 in all |"];
  assert.deepEqual(cut(marks.join("\n")), marks);
  const ruled = ["Tour | Price", "---|---", "A guided tour of the old town. In English. | 27 euros a person"];
  assert.deepEqual(cut(ruled.join("\n")), ruled);
  assert.deepEqual(cut("Phone: 12345\nMail: a@b.example"), ["Phone: 12345", "Mail: a@b.example"]);
});

test("cuts what has no marks", () => {
  const pieces = cut("word ".repeat(1000));
  assert.ok(pieces.length > 5 && pieces.every((piece) => piece.length <= 600));
});

test("sentences are trimmed, in order, and leave out white space alone", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      const { text } = normalise(source);
      let previous = 0;
      for (const { start, end } of sentences(text)) {
        assert.ok(start >= previous && end > start);
        assert.equal(text.slice(previous, start).trim(), "");
        previous = end;
      }
      assert.equal(text.slice(previous).trim(), "");
    }),
  );
});
