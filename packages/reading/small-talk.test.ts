import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { refusals } from "./refusals.ts";
import phrases from "./small-talk.json" with { type: "json" };
import { type SmallTalkKind, smallTalk, withoutSmallTalk } from "./small-talk.ts";

const questions = [
  "When do you open on Saturdays?",
  "how much is a cargo bike",
  "Is there a greeting card in the shop?",
  "How do I say thanks to the team?",
  "Can I visit the morning market?",
  "茶館在哪裡？",
  "包廂低消多少",
  "有沒有早安套餐？",
  "那週日呢？",
  "謝謝卡多少錢？",
  "Wann macht ihr auf?",
  "¿A qué hora abren?",
  "営業時間は何時からですか。",
  "몇 시에 열어요?",
];

describe("small talk", () => {
  it("is greeted, thanked or seen off in its language", () => {
    const expected: [message: string, kind: SmallTalkKind, reply: RegExp][] = [
      ["hi", "greeting", /^Hello/],
      ["Hello there!", "greeting", /^Hello/],
      ["HELLOOOO 👋", "greeting", /^Hello/],
      ["Good morning, how are you today?", "greeting", /^Hello/],
      ["thanks a lot", "thanks", /^You're welcome/],
      ["OK great, thank you so much for your help :)", "thanks", /^You're welcome/],
      ["thanks, bye!", "farewell", /^Goodbye/],
      ["你好", "greeting", /^您好/],
      ["早安！", "greeting", /^您好/],
      ["哈囉～", "greeting", /^您好/],
      ["好的，謝謝您！", "thanks", /^不客氣/],
      ["非常感谢你的帮助", "thanks", /^不客气/],
      ["謝謝，再見", "farewell", /^再見/],
      ["Guten Tag!", "greeting", /^Hallo/],
      ["muchas gracias por su ayuda", "thanks", /^¡De nada/],
      ["ありがとうございます。", "thanks", /^どういたしまして/],
      ["สวัสดีครับ", "greeting", /^สวัสดี/],
      ["Здравствуйте!", "greeting", /^Здравствуйте/],
    ];
    for (const [message, kind, reply] of expected) {
      const found = smallTalk(message);
      assert.equal(found?.kind, kind, message);
      assert.match(found.reply, reply, message);
    }
  });

  it("is not what asks or says anything else", () => {
    for (const message of [
      ...questions,
      "",
      " ",
      "?",
      "👋",
      "there",
      "ok",
      "好的",
      "Hello Kitty",
      "thanks to whom",
      "high",
      "his",
      "你好棒",
      "早餐",
      "tyres",
    ])
      assert.equal(smallTalk(message), undefined, message);
  });

  it("is known in every language that a refusal is written in", () => {
    assert.deepEqual(Object.keys(phrases).toSorted(), Object.keys(refusals).toSorted());
  });

  it("is put aside where a question comes with it", () => {
    const expected: [message: string, question: string][] = [
      ["hi, when do you open?", "when do you open?"],
      ["Hi when do you open", "when do you open"],
      ["Hello there! Is parking free? Thanks in advance!", "Is parking free?"],
      ["When do you open? thx", "When do you open?"],
      ["你好，請問週日有開嗎？", "請問週日有開嗎？"],
      ["你好請問週日有開嗎", "週日有開嗎"],
      ["週日有開嗎？謝謝", "週日有開嗎？"],
      ["Hello Kitty bags: how much?", "Hello Kitty bags: how much?"],
      ["Hi-Fi repairs?", "Hi-Fi repairs?"],
      ["hi", "hi"],
    ];
    for (const [message, question] of expected) assert.equal(withoutSmallTalk(message), question);
  });

  const lists = Object.values(phrases);
  const pleasantry = fc
    .constantFrom(...lists)
    .chain(({ greetings, thanks, farewells }) => fc.constantFrom(...greetings, ...thanks, ...farewells));

  it("never swallows a question", () => {
    fc.assert(
      fc.property(fc.constantFrom(...questions), pleasantry, pleasantry, (question, before, after) => {
        assert.equal(withoutSmallTalk(question), question);
        for (const message of [`${before}, ${question}`, `${before}! ${question} ${after}`, `${before} ${question}`]) {
          assert.equal(smallTalk(message), undefined, message);
          assert(withoutSmallTalk(message).includes(question), message);
        }
        assert.equal(withoutSmallTalk(`${before}! ${question}`), question);
      }),
    );
  });

  it("put aside leaves a part of any message", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (message) => {
        const rest = withoutSmallTalk(message);
        assert(message.includes(rest));
        assert.equal(rest.trim() === "", message.trim() === "");
      }),
    );
  });

  it("of a long message looks at the beginning alone", () => {
    const long = "hello ".repeat(5_000);
    withoutSmallTalk(long);
    const before = process.cpuUsage();
    for (let times = 0; times < 10; times++) withoutSmallTalk(long);
    const { user } = process.cpuUsage(before);
    assert(user < 700_000, `${user} microseconds for ten of ${long.length} characters`);
  });
});
