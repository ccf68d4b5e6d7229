import assert from "node:assert/strict";
import { test } from "node:test";
import { intervalsOf } from "./bootstrap.ts";
import { figuresOf } from "./figures.ts";
import { type Outcome, outcomeOf } from "./outcomes.ts";
import type { Asking, Role } from "./parts.ts";
import { PastedText } from "./pasted-text.ts";
import type { SquadFile } from "./squad.ts";

const context = "Tea costs 3 euros. The prices:\nCoffee | 4 euros\nCocoa | 5 euros";
const file: SquadFile = {
  sha256: "",
  articles: [{ title: "Menu", paragraphs: ["𝒜 About us.", context] }],
  questions: [
    {
      id: "1",
      question: "What does cocoa cost?",
      answers: ["5 euros"],
      places: [{ start: 56, end: 63 }],
      article: 0,
      paragraph: 1,
    },
  ],
};
const text = new PastedText(file, () => true);
const asking: Asking = { role: "own", question: file.questions[0]!, said: "What does cocoa cost?" };
const from = [..."𝒜 About us.\n\n"].length;
const quoted = (start: number, end: number, shown?: string) => {
  const quote = [...text.text].slice(start, end).join("");
  const citation = { training_data_id: "", title: "", start, end, quote, text_sha256: text.sha256 };
  return { text: shown ?? quote.replaceAll("\n", " "), citations: [citation] };
};
const reply = (candidate: ReturnType<typeof quoted>, passages: [number, number][]) => ({
  text: "",
  answered: true,
  citations: [],
  engine: "",
  model_id: "",
  message_id: "",
  confidence: 0.5,
  candidate,
  passages: passages.map(([start, end]) => ({ training_data_id: "", start, end, score: 1 })),
});

test("the gold answer stands where the test says", () => {
  assert.equal(text.slice({ start: from + 56, end: from + 63 }), "5 euros");
});

test("a passage is right when it covers the gold answer's characters", () => {
  const end = from + 63;
  const outcome = outcomeOf(
    asking,
    text,
    reply(quoted(from, end), [
      [0, end - 1],
      [from, end],
    ]),
  );
  assert.equal(outcome.passageRank, 2);
  assert.deepEqual(outcome.passageChars, [end - 1, 63]);
});

test("a quoted table counts as its lines, though the candidate shows it on one", () => {
  const all = outcomeOf(asking, text, reply(quoted(from, from + 63), []));
  assert.deepEqual([all.contains1, all.contains2], [false, false]);
  const table = outcomeOf(asking, text, reply(quoted(from + 31, from + 63), []));
  assert.deepEqual([table.contains1, table.contains2], [false, true]);
  assert.deepEqual(
    [table.chars1, table.chars2],
    ["Coffee | 4 euros".length, "Coffee | 4 euros Cocoa | 5 euros".length],
  );
  assert.equal(table.goldSentenceChars, "Cocoa | 5 euros".length);
  assert.deepEqual([table.citations, table.exactCitations, table.citesGold], [1, 1, true]);
});

test("a quote that is not the slice, or of another text, is not exact", () => {
  const candidate = quoted(from, from + 18);
  const changed = { ...candidate, citations: [{ ...candidate.citations[0]!, quote: "Tea costs 4 euros." }] };
  const other = { ...candidate, citations: [{ ...candidate.citations[0]!, text_sha256: "0" }] };
  for (const wrong of [changed, other]) assert.equal(outcomeOf(asking, text, reply(wrong, [])).exactCitations, 0);
});

test("a reply without the fields of explain=true is an error, not a wrong answer", () => {
  const { candidate, ...bare } = reply(quoted(from, from + 18), []);
  assert.throws(() => outcomeOf(asking, text, { ...bare, citations: candidate.citations }), /explain=true/);
});

test("a question that is taken for a greeting is answered wrongly and without doubt", () => {
  const { candidate: _, passages: __, confidence: ___, ...greeting } = reply(quoted(from, from + 18), []);
  const { contains2, confidence, answered } = outcomeOf(asking, text, { ...greeting, text: "Hello!" });
  assert.deepEqual([contains2, confidence, answered], [false, 1, true]);
});

const outcome = (role: Role, article: number, more: Partial<Outcome> = {}): Outcome => ({
  role,
  article,
  passageRank: 1,
  passageChars: [100],
  contains1: true,
  contains2: true,
  chars1: 10,
  chars2: 20,
  goldSentenceChars: 10,
  citations: 1,
  exactCitations: 1,
  citesGold: true,
  confidence: 0.5,
  answered: true,
  ...more,
});

test("shares are taken of the questions that they are about", () => {
  const figures = figuresOf([
    outcome("own", 0),
    outcome("own", 0, { contains1: false, passageRank: 4, citesGold: false }),
    outcome("own", 1, { contains1: false, contains2: false, passageRank: null, citesGold: false }),
    outcome("trained", 0, { confidence: 0.9, answered: false }),
    outcome("foreign", 0, { confidence: 0.1 }),
    outcome("foreign", 1, { confidence: 0.95, answered: false }),
  ]);
  assert.equal(figures.passage_1, 1 / 2);
  assert.equal(figures.passage_5, 1);
  assert.equal(figures.contains_1, 1 / 3);
  assert.equal(figures.contains_2, 2 / 3);
  assert.equal(figures.cites_gold, 1 / 2);
  assert.equal(figures.auc_foreign, 1 / 2);
  assert.equal(figures.refused_at_5, 1 / 2);
  assert.equal(figures.false_refusals, 1);
  assert.equal(figures.foreign_answered, 1 / 2);
  assert.equal(figures.contains_1_typos, null);
  assert.equal(figures.auc_hard, null);
});

test("nothing asked gives no figure", () => {
  assert.ok(Object.values(figuresOf([])).every((value) => value === null));
});

test("the interval is wider where questions of an article stand and fall together", () => {
  const together = Array.from({ length: 200 }, (_, at) => outcome("own", at % 10, { contains1: at % 10 < 5 }));
  const apart = Array.from({ length: 200 }, (_, at) => outcome("own", at, { contains1: at % 10 < 5 }));
  const width = (outcomes: Outcome[]) => {
    const [low, high] = intervalsOf(outcomes).contains_1!;
    assert.ok(low <= 0.5 && high >= 0.5);
    return high - low;
  };
  assert.ok(width(together) > 2 * width(apart));
  assert.deepEqual(intervalsOf(together), intervalsOf(together));
});
