import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sentences } from "@caigun/text";
import fc from "fast-check";
import { Checker, checkSentences } from "./check.ts";

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

  it("says where a sentence leaves out what matters, if that is asked", () => {
    const cafe = passageOf(
      "The café is open until one hour before the hall closes, on Sundays until 17:00. " +
        "Food is not allowed in the hall, but water in closed bottles is. Dogs are welcome in the café if they are kept on a leash.",
    );
    const inFull = (sentence: string) => {
      const found = new Checker([cafe]).check(sentence, { inFull: true });
      return found.supported ? found.sentences : found.reason;
    };
    assert.equal(inFull("Until one hour before the hall closes."), "omission");
    assert.equal(inFull("Not in the hall, but water in closed bottles is."), "omission");
    assert.equal(inFull("No, cats are not welcome in the café if they are kept on a leash."), "negation");
    assert.deepEqual(inFull("On Sundays the café is open until 17:00, or one hour before the hall closes."), [0]);
    assert.deepEqual(inFull("Dogs are welcome in the café if kept on a leash."), [2]);
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
    // One of two singers in the other's place, in words that all stand there.
    const evening = passageOf(
      "Prize winner and festival nominee Anna Berg sang the anthem, while festival winner Carl Moss provided the translation.",
    );
    assert.equal(
      verdict(
        "Anna Berg sang the anthem, while festival winner and nominee Anna Berg provided the translation.",
        evening,
      ),
      "name",
    );
    assert.deepEqual(verdict("Carl Moss provided the translation.", evening), [0]);
  });

  it("keeps the sign of a number and the letters of a currency", () => {
    const from = (sentence: string, text: string) => verdict(sentence, passageOf(text));
    assert.equal(from("Store it at 5 °C.", "Store it at -5 °C."), "number");
    assert.equal(from("Store it at -5 °C.", "Store it at 5 °C."), "number");
    assert.equal(from("保存溫度為5°C。", "保存溫度為-5°C。"), "number");
    assert.deepEqual(from("Store it at −5 °C.", "Store it at minus 5 °C."), [0]);
    assert.deepEqual(from("保存溫度為零下5°C。", "保存溫度為-5°C。"), [0]);
    assert.equal(from("It costs US$18.", "It costs NT$18."), "number");
    assert.equal(from("It costs $18.", "It costs NT$18."), "number");
    assert.deepEqual(from("It costs NT$18.", "It costs NT$18."), [0]);
  });

  it("takes a dash between two numbers for no sign", () => {
    const from = (sentence: string, text: string) => verdict(sentence, passageOf(text));
    assert.deepEqual(from("Store it at 2 to 8 °C.", "Store it at 2-8 °C."), [0]);
    assert.deepEqual(from("Store it at 2 to 8 °C.", "Store it at 2 -8 °C."), [0]);
    assert.deepEqual(from("費用為20至30元。", "費用為20元-30元。"), [0]);
    assert.equal(from("Store it at 5 to 8 °C.", "Store it at -5 to 8 °C."), "number");
  });

  it("reads a unit that a hyphen joins to its number", () => {
    const game = passageOf("A 15-yard penalty put the ball on the 38-yard line after a 2-minute break.");
    assert.deepEqual(verdict("A 15-yard penalty put the ball on the 38-yard line.", game), [0]);
    assert.equal(verdict("A 25-yard penalty put the ball on the 38-yard line.", game), "number");
  });

  it("says nothing without the condition that it stands under", () => {
    const from = (sentence: string, text: string) => verdict(sentence, passageOf(text));
    const refunds = "Refunds are given within 30 days";
    assert.equal(from(`${refunds}.`, `${refunds} unless the item was opened.`), "condition");
    assert.equal(from(`${refunds}.`, `${refunds}, unless the item was opened.`), "condition");
    assert.deepEqual(from(`${refunds} unless it was opened.`, `${refunds} unless the item was opened.`), [0]);
    assert.equal(from("Members may cancel.", "Members may cancel only with two weeks' notice."), "condition");
    assert.equal(from("The parking is free.", "The parking is free on Sundays."), "condition");
    assert.deepEqual(from("Parking is free.", "Parking is free, but only guests may use the pool."), [0]);
    assert.equal(from("30天內可以退款。", "除非已拆封，30天內可以退款。"), "condition");
    assert.equal(from("停車免費。", "停車僅週日免費。"), "condition");
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
