import assert from "node:assert/strict";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeHome, runCommand } from "../testkit/caigun.ts";

const article = (title: string, ...paragraphs: [context: string, question: string, answer: string][]) => ({
  title,
  paragraphs: paragraphs.map(([context, question, text]) => ({
    context,
    qas: [{ id: question, question, answers: [{ text, answer_start: context.indexOf(text) }] }],
  })),
});
const animals = article(
  "Animals",
  ["Elephants live in the savannah of Africa. They eat grass.", "Where do elephants live?", "Africa"],
  ["Penguins breed on the ice of Antarctica. They eat fish.", "Where do penguins breed?", "Antarctica"],
);
const metals = article("Metals", [
  "Copper melts at 1085 degrees. It is red.",
  "At what temperature does copper melt?",
  "1085 degrees",
]);

describe("the evaluation", () => {
  let folder: string;
  let file: string;
  before(async () => {
    folder = await makeHome();
    file = join(folder, "small.json");
    await writeFile(file, JSON.stringify({ data: [animals, metals] }));
  });
  after(() => rm(folder, { recursive: true }));

  it("asks every part over HTTP and prints one object", async () => {
    const { exitCode, stdout, stderr } = await runCommand(folder, ["eval", file, "--json"]);
    assert.equal(exitCode, 0, stderr + stdout);
    const report = JSON.parse(stdout);
    const { passage_1, contains_1, citation_exact, cites_gold, questions, weights, retrieval, intervals } = report;
    // Hybrid where the embedder's weights can be had.
    assert.match(retrieval, /^(lexical|hybrid)$/);
    assert.deepEqual(
      { passage_1, contains_1, citation_exact, cites_gold, questions, weights },
      {
        passage_1: 1,
        contains_1: 1,
        citation_exact: 1,
        cites_gold: 1,
        questions: 3,
        weights: "shipped",
      },
    );
    assert.deepEqual(intervals.contains_1, [1, 1]);
    assert.equal(report.reply_chars_1, report.gold_sentence_chars);
    for (const figure of ["contains_1_typos", "auc_foreign", "auc_hard", "refused_at_5", "refused_hard_at_5"])
      assert.equal(typeof report[figure], "number", figure);
    for (const figure of ["false_refusals", "foreign_answered", "passage_5", "contains_2", "reply_chars_2", "seconds"])
      assert.equal(typeof report[figure], "number", figure);
  });

  it("asks less with --only, and prints a table for people", async () => {
    const { exitCode, stdout, stderr } = await runCommand(folder, ["eval", file, "--only", "hard,typos"]);
    assert.equal(exitCode, 0, stderr + stdout);
    assert.match(stdout, /^small\.json: 3 questions in /);
    assert.match(stdout, /^ {2}auc_hard +1\.000/m);
    assert.match(stdout, /^ {2}auc_foreign +-$/m);
    assert.match(stderr, /100 %/);
  });

  it("tells apart two files of one name", async () => {
    const other = join(folder, "other");
    await mkdir(other);
    await writeFile(join(other, "small.json"), JSON.stringify({ data: [metals] }));
    const paths = [file, join(other, "small.json")];
    const { exitCode, stdout, stderr } = await runCommand(folder, ["eval", ...paths, "--json", "--only", "reading"]);
    assert.equal(exitCode, 0, stderr + stdout);
    const reports = JSON.parse(stdout) as Record<string, { questions: number; auc_hard: number | null }>;
    assert.deepEqual(
      paths.map((path) => [reports[path]?.questions, reports[path]?.auc_hard]),
      [
        [3, null],
        [1, null],
      ],
    );
  });

  it("refuses what it can't use", async () => {
    for (const [args, reason] of [
      [[file, "--only", "writing"], /no part "writing"/],
      [[join(folder, "none.json")], /can't be read/],
    ] as const) {
      const { exitCode, stderr } = await runCommand(folder, ["eval", ...args]);
      assert.equal(exitCode, 2);
      assert.match(stderr, reason);
    }
  });

  it("says what the server said when it can't answer", async () => {
    const { exitCode, stdout } = await runCommand(folder, ["eval", file, "--json"], { CAIGUN_MAX_TEXT_BYTES: "10" });
    assert.equal(exitCode, 1);
    assert.match(JSON.parse(stdout).error, /^The evaluation failed\. .*bytes/);
  });
});
