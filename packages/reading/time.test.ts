import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildIndex, openIndex } from "@caigun/passages";
import { normalise, sentences } from "@caigun/text";
import { read } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-time-"));
after(() => rmSync(folder, { recursive: true }));

const UNITS = 200_000;
// What marks headings, rules, lists, tables, questions, quotes and numbers, and what is blank or invisible.
const CHARACTERS = [
  ..."=-_|#*>+•.,;:?!()[]\"'’`。，、：？「」1９aQA問答第一漢",
  ..." \t\n\r\u3000\ufeff\u200b\u0301\0",
  "\ud800",
];

/** Runs of one or two characters as the whole text, as a line between words over a rule, and in a question and its answer. */
function* texts(): Generator<string> {
  for (const [index, character] of CHARACTERS.entries()) {
    const run = character.repeat(UNITS);
    yield run;
    yield `office ${run}x\n---\n\nopens`;
    yield `Q: office ${run}?\nA: at nine ${run}x`;
    const partner = CHARACTERS[(index * 7 + 5) % CHARACTERS.length]!;
    yield `Q: ${character.repeat(UNITS / 2)}${partner.repeat(UNITS / 2)}?\nA: at nine`;
    // Words of one letter between marks only take the word segmenter's time, which is long and in proportion.
    if (!/\p{L}/u.test(character + partner)) yield `${(character + partner).repeat(UNITS / 2)}x\n---\n`;
  }
}

/** The processor time of this process in milliseconds: other programs on the machine do not count. */
function processorTimeMs(use: () => void): number {
  const before = process.cpuUsage();
  use();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function readWhole(path: string, text: string): void {
  buildIndex(path, [{ id: "d", title: "", text: `The office opens at nine.\n\n${text}` }]);
  const index = openIndex(path);
  for (const question of ["When does the office open?", text.slice(0, 2000)]) {
    read(question, index.search(question, 8), { maxSentences: 2, threshold: 0 });
  }
  index.close();
}

test("takes time in proportion to the text, whatever characters it repeats", () => {
  let files = 0;
  for (const text of texts()) {
    const timeMs = processorTimeMs(() => {
      sentences(normalise(text).text);
      readWhole(join(folder, `index-${files++}`), text);
    });
    // The square of the length would take minutes.
    assert.ok(timeMs < 10_000, `${JSON.stringify(text.slice(0, 20))} took ${timeMs.toFixed(0)} ms`);
  }
});
