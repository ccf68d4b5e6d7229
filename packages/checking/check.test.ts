import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sentences } from "@caigun/text";
import fc from "fast-check";
import { checkSentences } from "./check.ts";

const passageOf = (text: string) => ({ text, sentences: sentences(text) });
const OFFICE = passageOf(
  "The office in Leeds opens at 9 am and closes at 5 pm. Parking costs £4 a day. Dogs are not allowed. " +
    "Some rooms have a balcony. Call before you arrive.",
);
const SHOP = passageOf("本店上午九點開門。運費80元，滿一千二百元免運費。不接受現金。");

function verdict(sentence: string, passage = OFFICE) {
  const [found] = checkSentences([sentence], [passage]);
  return found!.supported ? found!.sentences : found!.reason;
}

describe("checkSentences", () => {
  it("finds the sentences that say it in other words", () => {
    assert.deepEqual(verdict("The office closes at 17:00."), [0]);
    assert.deepEqual(verdict("You are not allowed to bring dogs."), "claim");
    assert.deepEqual(verdict("Dogs aren't allowed."), [2]);
    assert.deepEqual(verdict("Parking is 4 pounds per day."), [1]);
    assert.deepEqual(verdict("滿1200元不收運費。", SHOP), [1]);
    assert.deepEqual(verdict("満１２００元免運費。", SHOP), "claim");
  });

  it("says what is wrong with the others", () => {
    assert.equal(verdict("The office closes at 6 pm."), "number");
    assert.equal(verdict("Parking costs $4 a day."), "number");
    assert.equal(verdict("Parking costs £4 a month."), "number");
    assert.equal(verdict("The office in York opens at 9 am."), "name");
    assert.equal(verdict("Dogs are allowed."), "negation");
    assert.equal(verdict("All rooms have a balcony."), "quantifier");
    assert.equal(verdict("Call after you arrive."), "order");
    assert.equal(verdict("Parking costs £4 a day and must be paid in cash."), "claim");
    assert.equal(verdict("滿兩千元免運費。", SHOP), "number");
    assert.equal(verdict("接受現金。", SHOP), "negation");
    assert.equal(verdict("..."), "empty");
  });

  it("looks for each sentence in every passage", () => {
    const found = checkSentences(["不接受現金。", "Parking costs £4 a day."], [OFFICE, SHOP]);
    assert.deepEqual(found, [
      { supported: true, passage: 1, sentences: [2] },
      { supported: true, passage: 0, sentences: [1] },
    ]);
  });

  it("compares in the language of what is written, also in a text of several", () => {
    const both = passageOf(`${OFFICE.text}\n\n${SHOP.text}`);
    assert.deepEqual(verdict("The office opens at 09:00.", both), [0]);
    assert.equal(verdict("The office opens at 9 pm.", both), "number");
    assert.deepEqual(verdict("本店早上9點開門。", both), [5]);
    assert.equal(verdict("本店晚上九點開門。", both), "number");
  });

  it("passes what is quoted, in languages without word lists too", () => {
    const quotes = [
      "Das Museum öffnet dienstags um 10 Uhr und schließt um 18 Uhr.",
      "Музей закрыт по понедельникам, вход стоит 300 рублей.",
      "พิพิธภัณฑ์เปิดทุกวันเวลา 10 นาฬิกา",
    ];
    for (const quote of quotes) assert.deepEqual(verdict(quote, passageOf(`${quote}`)), [0], quote);
    assert.equal(verdict("Das Museum öffnet dienstags um 11 Uhr.", passageOf(quotes[0]!)), "number");
  });

  it("fails on no text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (sentence, text) => {
        checkSentences([sentence, `${sentence} 3 ${text}`], [passageOf(text)]);
      }),
      { numRuns: 200 },
    );
  });
});
