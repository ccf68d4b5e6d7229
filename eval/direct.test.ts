import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { askHalves, askLeftOut, askOwn, askParts } from "./direct.ts";
import { PastedText } from "./pasted-text.ts";
import { readSquad } from "./squad.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-squad-"));
after(() => rmSync(folder, { recursive: true }));

const path = join(folder, "two-articles.json");
const article = (title: string, context: string, question: string, text: string) => ({
  title,
  paragraphs: [
    {
      context,
      qas: [
        { id: title, question, answers: [{ text }] },
        { id: "empty", question, answers: [] },
      ],
    },
  ],
});
writeFileSync(
  path,
  JSON.stringify({
    data: [
      article("Bees", "Honey bees live in hives. A hive has one queen.", "How many queens has a hive?", "one"),
      article("Tides", "The moon causes the tides of the sea.", "What causes the tides?", "The moon"),
    ],
  }),
);

test("reads articles, and questions that have an answer", () => {
  const file = readSquad(path);
  assert.deepEqual(
    file.articles.map(({ title }) => title),
    ["Bees", "Tides"],
  );
  assert.deepEqual(
    file.questions.map(({ id, article }) => [id, article]),
    [
      ["Bees", 0],
      ["Tides", 1],
    ],
  );
  assert.equal(new PastedText(file, (number) => number === 1).text, "The moon causes the tides of the sea.");
});

test("asks every question of the whole, and of each half", () => {
  const file = readSquad(path);
  const own = askOwn(file);
  assert.deepEqual(
    own.map(({ isForeign }) => isForeign),
    [false, false],
  );
  assert.match(own[0]!.found.passages[0]!.text, /queen/);
  const halves = askHalves(file);
  assert.deepEqual(
    halves.map(({ question, isForeign }) => [question.id, isForeign]),
    [
      ["Bees", false],
      ["Tides", true],
      ["Bees", true],
      ["Tides", false],
    ],
  );
  assert.equal(
    halves[1]!.found.passages.some(({ text }) => text.includes("moon")),
    false,
  );
});

test("asks each part its own questions and the next part's, and an article with and without what answers", () => {
  const twoPassages = join(folder, "two-passages.json");
  const bees = article("Bees", "A hive has a single queen.", "How many queens has a hive?", "single");
  bees.paragraphs.push(
    article("Honey", "Bees make honey from nectar.", "What is honey made from?", "nectar").paragraphs[0]!,
  );
  const tides = article("Tides", "The moon causes the tides.", "What causes the tides?", "The moon");
  writeFileSync(twoPassages, JSON.stringify({ data: [bees, tides] }));
  const file = readSquad(twoPassages);
  const said = (asked: ReturnType<typeof askOwn>) =>
    asked.map(({ question, isForeign, found }) => [question.id, isForeign, found.passages.length > 0]);
  assert.deepEqual(said(askParts(file, 4)), [
    ["Bees", false, true],
    ["Honey", false, true],
    ["Tides", true, false],
    ["Tides", false, true],
  ]);
  assert.deepEqual(said(askLeftOut(file)), [
    ["Bees", false, true],
    ["Honey", false, true],
    ["Bees", true, false],
    ["Honey", true, false],
  ]);
});
