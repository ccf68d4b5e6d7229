import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { seededRandom } from "../../testkit/random.ts";
import { cutPassages, normalise, words } from "./index.ts";

const answers = (text: string) =>
  cutPassages(text).map(({ kind, question, answerStart, end }) => ({
    kind,
    question,
    answer: text.slice(answerStart, end),
  }));

test("recognises questions and answers in several spellings", () => {
  assert.deepEqual(answers("Q: How do I reset it?\nA: Hold the button.\nThen wait.\n\n**Q2.** Where?\n\nA2: Here"), [
    { kind: "qa", question: "How do I reset it?", answer: "Hold the button.\nThen wait." },
    { kind: "qa", question: "Where?", answer: "Here" },
  ]);
  assert.deepEqual(answers("問:保固多久?\n答:兩年。\n問題2:在哪裡維修?\n答案:台北。"), [
    { kind: "qa", question: "保固多久?", answer: "兩年。" },
    { kind: "qa", question: "在哪裡維修?", answer: "台北。" },
  ]);
});

test("a line over the first question is their heading", () => {
  const [passage] = cutPassages("常見問題\n問:可以帶狗嗎?\n答:限星期五。");
  assert.deepEqual([passage!.kind, passage!.heading, passage!.question], ["qa", "常見問題", "可以帶狗嗎?"]);
});

test("recognises questions as headings", () => {
  assert.deepEqual(
    answers("## What does it cost?\n\n$5 a month\n\nCan I cancel?\nYes, at any time.\n\n# Contact\n\nWrite to us."),
    [
      { kind: "qa", question: "What does it cost?", answer: "$5 a month" },
      { kind: "qa", question: "Can I cancel?", answer: "Yes, at any time." },
      { kind: "prose", question: undefined, answer: "Write to us." },
    ],
  );
});

test("a lettered list is no list of questions", () => {
  assert.deepEqual(
    cutPassages("A. Apples\nB. Pears\nQ. Quinces").map((passage) => passage.kind),
    ["list"],
  );
});

test("keeps lists and tables together and puts them under their heading", () => {
  const text =
    "# Prices\n\n- Basic: 5\n- Plus: 10\n\n## Hours\n\n| Day | Open |\n|---|---|\n| Mon | 9 |\n\nShort\n\nlines\n\nof a poem";
  assert.deepEqual(
    cutPassages(text).map(({ kind, heading, answerStart, end }) => [kind, heading, text.slice(answerStart, end)]),
    [
      ["list", "Prices", "- Basic: 5\n- Plus: 10"],
      ["table", "Hours", "| Day | Open |\n|---|---|\n| Mon | 9 |"],
      ["prose", "Hours", "Short\n\nlines\n\nof a poem"],
    ],
  );
});

test("a minus sign is no bullet", () => {
  assert.deepEqual(
    cutPassages("-5 degrees at night\n-3 degrees at noon").map(({ kind }) => kind),
    ["prose"],
  );
});

test("numbered lines are headings over text and items over items", () => {
  const kinds = (text: string) => cutPassages(text).map(({ kind, heading }) => [kind, heading]);
  assert.deepEqual(kinds("一、休假\n全職員工每年有二十五天的特休假。\n\n2. Sick leave\n\nCall before nine."), [
    ["prose", "一、休假"],
    ["prose", "2. Sick leave"],
  ]);
  assert.deepEqual(kinds("1. Open the lid\n2. Press the button\n3. Wait"), [["list", undefined]]);
});

test("cuts long paragraphs at sentence ends", () => {
  const text = "This is one of many sentences in a very long paragraph. ".repeat(100);
  const passages = cutPassages(text);
  assert.ok(passages.length > 3);
  for (const { start, end } of passages) {
    assert.ok(end - start <= 2000);
    assert.equal(text[end - 1], ".");
  }
});

test("a word that is edited changes two passages at most, whatever the text is made of", () => {
  const random = seededRandom(3);
  const some = (most: number) => Math.floor(random() * most);
  const words = "time river price open morning the of and bicycle repair customers quiet window paper stone".split(" ");
  const sentence = () =>
    `${Array.from({ length: 5 + some(20) }, () => words[some(words.length)]).join(" ")}.`.replace(/^./, (letter) =>
      letter.toUpperCase(),
    );
  const many = (length: number) => Array.from({ length }, sentence);
  const texts = [many(100).join("\n\n"), many(300).join(" "), `- ${many(200).join("\n- ")}`];
  for (const text of texts) {
    const before = new Set(cutPassages(text).map(({ start, end }) => text.slice(start, end)));
    assert.ok(before.size > 8);
    const places = [...text.matchAll(/\p{L}+/gu)];
    const edits = 300;
    let larger = 0;
    for (let edit = 0; edit < edits; edit++) {
      const { index, 0: word } = places[some(places.length)]!;
      const instead = [words[some(words.length)], "", `${word}s`, `${word} very`][edit % 4];
      const edited = text.slice(0, index) + instead + text.slice(index + word.length);
      const changed = cutPassages(edited).filter(({ start, end }) => !before.has(edited.slice(start, end)));
      if (changed.length > 2) larger++;
    }
    // Where a piece grows beyond what any may have, one more may be cut.
    assert.ok(larger <= edits / 100, `${larger} of ${edits} edits changed more`);
  }
});

test("an edit moves no passage elsewhere", () => {
  const paragraphs = Array.from(
    { length: 40 },
    (_, index) => `Paragraph ${index} ${"says something of some length. ".repeat(10)}`,
  );
  const before = cutPassages(paragraphs.join("\n\n")).length;
  const texts = (all: string[]) => {
    const text = all.join("\n\n");
    return new Set(cutPassages(text).map(({ start, end }) => text.slice(start, end)));
  };
  const edited = texts(paragraphs.with(7, `New. ${paragraphs[7]} More.`));
  const kept = [...texts(paragraphs)].filter((passage) => edited.has(passage));
  assert.equal(kept.length, before - 1);
});

test("passages are in order, apart, trimmed, and hold everything but white space", () => {
  fc.assert(
    fc.property(arbitraryText, (source) => {
      const normal = normalise(source);
      const { text } = normal;
      let previous = 0;
      for (const { start, end, answerStart } of cutPassages(text, normal)) {
        assert.ok(start >= previous && end > start && answerStart >= start && answerStart <= end);
        assert.equal(text.slice(previous, start).trim(), "");
        assert.equal(text.slice(start, end).trim().length, end - start);
        previous = end;
      }
      assert.equal(text.slice(previous).trim(), "");
    }),
    { numRuns: 500 },
  );
});

test("no passage is much longer than two thousand columns, also where an answer or a question is", () => {
  const long = "This sentence is one of very many. ".repeat(2000);
  for (const text of [
    `Q: Why?\nA: ${long}`,
    `Q: ${long}`,
    `# ${long}\n\n${long}`,
    long.replaceAll(". ", "\t"),
    `- ${long}`,
    `Q: ${long}\nA: Yes.`,
    `Title\n${"-".repeat(50_000)}\nText.`,
    `${"T".repeat(50_000)}\n---\nText.`,
  ]) {
    for (const { start, end, kind } of cutPassages(text)) {
      assert.ok(end - start <= 2000, `${end - start} ${kind} ${text.slice(0, 20)}`);
    }
  }
});

test("an underlined line is a heading only where it is short and no sentence", () => {
  const cut = (text: string) =>
    cutPassages(text).map(({ heading, answerStart, end }) => [heading, text.slice(answerStart, end)]);
  assert.deepEqual(cut("Parking\n-------\nIt costs three euros an hour.\n"), [
    ["Parking", "It costs three euros an hour."],
  ]);
  const [[heading, answer]] = cut("The office opens at nine.\n------\nParking costs three euros an hour.\n") as [
    [string | undefined, string],
  ];
  assert.equal(heading, undefined);
  assert.match(answer, /^The office opens at nine\./);
});

test("no passage is much longer in the sent text either, whatever invisible characters it has", () => {
  const invisible = "\u200b".repeat(100_000);
  for (const source of [
    `Parking costs three${invisible} euros an hour.`,
    `Q: When?\nA: At${invisible} nine.`,
    `# Hou${invisible}rs\n\nAt nine.`,
    `${invisible}Parking${invisible}`,
    `${"a\u200b\u200b\u200b\ufeff ".repeat(20_000)}`,
    `${`漢${"\u00ad".repeat(63)}`.repeat(1000)}`,
  ]) {
    const normal = normalise(source);
    let previous = 0;
    for (const { start, end, answerStart } of cutPassages(normal.text, normal)) {
      const [from, to] = [normal.toSource(start), normal.toSourceEnd(end)];
      assert.ok(to - from <= 8000 && answerStart >= start && answerStart < end, `${to - from} units`);
      assert.equal(normalise(source.slice(previous, from)).text.trim(), "");
      previous = to;
    }
    assert.equal(normalise(source.slice(previous)).text.trim(), "");
  }
});

test("a long line of equals signs over a rule is no heading, and soon read", () => {
  const before = process.cpuUsage();
  const [passage] = cutPassages(`${"=".repeat(2000)}x\n---\n\nHello.`);
  assert.equal(passage!.heading, undefined);
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});

test("a question of a hundred thousand marks is cut into few passages", () => {
  assert.ok(cutPassages(`Q: a${"\u0301".repeat(100_000)}?\nA: Yes.`).length < 200);
});

test("numbered lines in one paragraph take time in proportion to their number", () => {
  const before = process.cpuUsage();
  cutPassages("1 a\n".repeat(40_000));
  assert.ok(process.cpuUsage(before).user < 5_000_000);
});

test("takes time in proportion to the text, whatever the text", () => {
  const units = [
    "*",
    "=",
    "\t",
    " ",
    "|",
    ".",
    ",",
    "a",
    "漢",
    "\u0301\u0323",
    "\0",
    "Q: ",
    "Q: a?\n",
    "# h\n",
    "a'",
    "\ud800",
    "\r",
    '"',
    "1. a\n\n",
  ];
  for (const unit of units) {
    const before = performance.now();
    const { text } = normalise(`e${unit.repeat(200_000 / unit.length)}x`);
    for (const { start, end } of cutPassages(text)) words(text.slice(start, end), "en");
    const elapsedMs = performance.now() - before;
    // A square would take minutes; this leaves room for a busy machine.
    assert.ok(elapsedMs < 5000, `${JSON.stringify(unit)} took ${elapsedMs.toFixed(0)} ms`);
  }
});
