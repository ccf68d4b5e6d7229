import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { askHalves, askOwn } from "./direct.ts";
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
