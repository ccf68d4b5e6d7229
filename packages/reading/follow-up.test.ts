import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mayFollowUp, resolveFollowUp } from "./follow-up.ts";

/** Each is asked after the one before it. */
const conversations: [question: string, resolved: string][][] = [
  [
    ["When do you open on Saturdays?", "When do you open on Saturdays?"],
    ["and on Sundays?", "When do you open on Sundays?"],
    ["What about Mondays?", "When do you open on Mondays?"],
    ["and in July?", "When do you open on Mondays in July?"],
  ],
  [
    ["What does a city bike cost for a whole day?", "What does a city bike cost for a whole day?"],
    ["and for half a day?", "What does a city bike cost for half a day?"],
    ["and a tandem?", "What does a tandem cost for half a day?"],
  ],
  [
    ["What does a tandem cost for a day?", "What does a tandem cost for a day?"],
    ["how much for a week?", "What does a tandem cost for a week?"],
    ["and my helmet?", "What does my helmet cost for a week?"],
  ],
  [
    ["Can I cancel my reservation?", "Can I cancel my reservation?"],
    ["what if it rains?", "Can I cancel my reservation if it rains?"],
    ["on which days?", "Can I cancel my reservation if it rains? on which days?"],
    ["why not?", "Can I cancel my reservation if it rains? why not?"],
    ["What is in the spring check?", "What is in the spring check?"],
  ],
  [
    ["How much is the small bag?", "How much is the small bag?"],
    ["what about the large one?", "How much is the large bag?"],
  ],
  [
    ["Is a helmet included?", "Is a helmet included?"],
    ["and a lock?", "Is a lock included?"],
    ["what about insurance?", "Is insurance included?"],
  ],
  [
    ["What discount do students get?", "What discount do students get?"],
    ["and members?", "What discount do members get?"],
    ["can they be combined?", "What discount do members get? can they be combined?"],
  ],
  [
    ["When is the repair course?", "When is the repair course?"],
    ["how much does it cost?", "When is the repair course? how much does it cost?"],
    ["how long?", "When is the repair course? how long?"],
    ["What does it cost to replace a saddle?", "What does it cost to replace a saddle?"],
  ],
  [
    ["What does it cost to rent shoes?", "What does it cost to rent shoes?"],
    ["and a harness?", "a harness? What does it cost to rent shoes?"],
    ["what about a helmet?", "a helmet? What does it cost to rent shoes?"],
  ],
  [
    ["Who teaches yin yoga?", "Who teaches yin yoga?"],
    ["and vinyasa?", "vinyasa? Who teaches yin yoga?"],
    ["and hatha?", "hatha? Who teaches yin yoga?"],
  ],
  [
    ["Can I cancel my course?", "Can I cancel my course?"],
    ["And if I don't show up?", "And if I don't show up?"],
  ],
  [
    ["Can I cancel my course?", "Can I cancel my course?"],
    ["And if I am ill?", "Can I cancel my course? And if I am ill?"],
  ],
  [
    ["When does the climbing hall open?", "When does the climbing hall open?"],
    ["and the café?", "When does the café open?"],
    ["and the big pool?", "When does the big pool open?"],
    ["How much is the small bag?", "How much is the small bag?"],
    ["and the backpack?", "the backpack? How much is the small bag?"],
  ],
  [
    ["Is a helmet included?", "Is a helmet included?"],
    ["and a bike lock?", "Is a bike lock included?"],
  ],
  [
    ["包廂低消多少？", "包廂低消多少？"],
    ["那一般座位呢？", "一般座位低消多少？"],
    ["可以用多久？", "一般座位低消多少？可以用多久？"],
  ],
  [
    ["賣店週六幾點開門？", "賣店週六幾點開門？"],
    ["那週日呢？", "賣店週日幾點開門？"],
    ["二樓呢？", "二樓週日幾點開門？"],
  ],
  [
    ["金葉會員買茶打幾折？", "金葉會員買茶打幾折？"],
    ["一般會員也一樣嗎？", "一般會員買茶打幾折？"],
    ["那學生可以嗎？", "一般會員買茶打幾折？那學生可以嗎？"],
    ["這裡可以停車嗎？", "這裡可以停車嗎？"],
  ],
  [
    ["凍頂烏龍一壺多少錢？", "凍頂烏龍一壺多少錢？"],
    ["東方美人呢？", "東方美人一壺多少錢？"],
    ["那四兩呢？", "東方美人四兩多少錢？"],
    ["它含咖啡因嗎？", "東方美人四兩多少錢？它含咖啡因嗎？"],
  ],
  [
    ["入门课程多少钱？", "入门课程多少钱？"],
    ["进阶呢？", "进阶课程多少钱？"],
    ["那老师是谁？", "进阶课程多少钱？那老师是谁？"],
  ],
];

describe("a follow-up", () => {
  for (const turns of conversations) {
    it(`is resolved: ${turns.map(([question]) => question).join(" ")}`, () => {
      let before: string | undefined;
      for (const [question, resolved] of turns) {
        assert.equal(resolveFollowUp(question, before), resolved);
        before = resolved;
      }
    });
  }

  it("needs something to lean on", () => {
    for (const [question] of conversations.flat()) assert.equal(resolveFollowUp(question, undefined), question);
  });

  it("is left as it is in a language without words for it", () => {
    assert.equal(resolveFollowUp("¿y los domingos?", "¿A qué hora abren los sábados?"), "¿y los domingos?");
    assert.equal(resolveFollowUp("日曜日は？", "土曜日は何時に開きますか。"), "日曜日は？");
  });

  it("holds, whatever is said, all of the question or all of what it exchanges, and changes nothing that cannot lean", () => {
    const said = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.constantFrom(...conversations.flat(2)),
      fc
        .array(
          fc.constantFrom("and", "it", "how", "much", "on", "the", "bike", "one", "?", "那", "它", "呢", "多少", "茶"),
        )
        .map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(said, said, (question, before) => {
        const resolved = resolveFollowUp(question, before);
        if (!mayFollowUp(question)) assert.equal(resolved, question);
        assert(resolved.length <= before.length + question.length + 2);
        if (question.trim() !== "") assert.notEqual(resolved.trim(), "");
      }),
    );
  });

  it("holds all of what it names anew, whatever was asked before", () => {
    const word = fc.constantFrom(
      ...[
        "helmet",
        "harness",
        "yin",
        "yoga",
        "shoes",
        "classes",
        "a",
        "the",
        "is",
        "does",
        "cost",
        "for",
        "what",
        "who",
      ],
      ...["teaches", "on", "members", "day", "my", "to", "rent", "bike", "open"],
    );
    const before = fc.array(word, { minLength: 2, maxLength: 9 }).map((words) => `${words.join(" ")}?`);
    const part = fc.constantFrom(
      "a helmet",
      "vinyasa",
      "members",
      "on Sundays",
      "the big pool",
      "a bike lock",
      "for kids",
    );
    fc.assert(
      fc.property(before, part, fc.constantFrom("and", "what about"), (asked, named, connector) => {
        const resolved = resolveFollowUp(`${connector} ${named}?`, `What does it cost? ${asked}`);
        assert(resolved.includes(named.replace(/^(?:a|the|on|for) /u, "")), `${asked} / ${named} -> ${resolved}`);
      }),
      { numRuns: 1_000 },
    );
  });

  it("keeps characters beyond the basic plane whole", () => {
    const piece = fc.constantFrom(
      "𠮷",
      "𠮶",
      "𡃁",
      "那",
      "哪裡",
      "呢",
      "可以",
      "嗎",
      "多少",
      "錢",
      "兩",
      "一",
      "我",
      "？",
      " ",
    );
    const said = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
    // Both of one language, so that the question is taken for a follow-up.
    fc.assert(
      fc.property(said, said, (name, before) => {
        const resolved = resolveFollowUp(`那${name}呢？`, `你們可以帶${before}上二樓嗎？`);
        assert(resolved.isWellFormed(), resolved);
      }),
      { numRuns: 2_000 },
    );
    assert.equal(resolveFollowUp("那𠮶茶呢？", "𠮷茶多少錢？"), "𠮶茶多少錢？");
  });
});
