import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { answeringWords } from "./highlight.ts";

function marked(question: string, quote: string, language = "en"): string[] {
  return answeringWords(question, quote, language).map(({ start, end }) => quote.slice(start, end));
}

test("a price is marked with its point and its sign", () => {
  assert.deepEqual(marked("What does a day pass cost?", "A day pass costs €12.00."), ["€12.00"]);
  assert.deepEqual(marked("How much is the harness?", "The harness is € 5.00 a day."), ["€ 5.00 a day"]);
  assert.deepEqual(marked("How much is the rope?", "The rope is 1,250.50 €."), ["1,250.50 €"]);
  assert.deepEqual(marked("How much is the rope?", "The rope is US$1,000–$1,200."), ["US$1,000–$1,200"]);
  assert.deepEqual(marked("門票多少錢？", "門票是12.50元。", "zh"), ["12.50元"]);
});

test("a time is marked with its colon and its half of the day", () => {
  assert.deepEqual(marked("When do you open?", "We open at 9:00."), ["9:00"]);
  assert.deepEqual(marked("When do you open?", "We open at 9:00 am."), ["9:00 am"]);
  assert.deepEqual(marked("When do you open?", "We open at 10 a.m. on Sundays."), ["10 a.m. on Sundays"]);
});

test("who does something is marked with when", () => {
  const quote = "Yin yoga is taught on Wednesdays at 19:30 by Ingrid Solheim.";
  assert.deepEqual(marked("Who teaches yin yoga?", quote), ["taught on Wednesdays at 19:30 by Ingrid Solheim"]);
});

test("what is written as one word is marked whole", () => {
  assert.deepEqual(marked("Which engine has it?", "The engine is an O'Brien-Smith 3.5-litre, made by the U.S. Navy."), [
    "O'Brien-Smith 3.5-litre",
  ]);
  assert.deepEqual(marked("How cold is the lake?", "The lake has -5 °C."), ["-5 °C"]);
  assert.deepEqual(marked("How many seats has the hall?", "The hall has 1 000 000 seats."), ["1 000 000"]);
  assert.deepEqual(marked("Who wrote the guide?", "The guide is by Dr. J. K. Solheim."), ["Dr. J. K. Solheim"]);
});

test("where a number is asked for, the part that has one is marked", () => {
  const quote = "The hall, which the town council runs, has 300 places; the door is blue.";
  assert.deepEqual(marked("How many people fit in the hall?", quote), ["300 places"]);
});

test("no stretch begins or ends within a number or a word, nor leaves a sign behind", () => {
  const piece = fc.constantFrom(
    ...["€12.00", "19:30", "9:00", "1,000", "US$5", "-3 °C", "20 %", "don't", "yin-yoga", "U.S.", "the", "yoga"],
    ...["Solheim", "cost", "12", "€", "門票", "12.50元", "a", ",", ".", ":", "(", ")", "\n", "–"],
  );
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(" "));
  const spaced = /^(?!\p{Script=Han})[\p{L}\p{M}\p{N}]/u;
  fc.assert(
    fc.property(text, text, (question, quote) => {
      let reached = 0;
      for (const { start, end } of answeringWords(question, quote, "en")) {
        assert.ok(reached <= start && start < end && end <= quote.length);
        reached = end;
        for (const at of [start, end]) {
          const cut = `${quote.slice(0, at)}|${quote.slice(at)}`;
          const [before, after] = [quote.slice(at - 1, at), quote.slice(at)];
          assert.ok(!(spaced.test(before) && spaced.test(after)), cut);
          assert.ok(!(spaced.test(before) && /^['.,:-][\p{L}\p{N}]/u.test(after)), cut);
          assert.ok(!(/[\p{L}\p{N}]['.,:-]$/u.test(quote.slice(0, at)) && spaced.test(after)), cut);
          assert.ok(!(/\p{Sc}$/u.test(before) && /^\p{N}/u.test(after)), cut);
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
