/**
 * node eval/handbooks.ts [--failures]: our own two handbooks, with questions as customers ask them, a third of which the
 * handbook does not answer though it comes close. Nothing is fitted on them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIndex, openIndex } from "@caigun/passages";
import { type Reading, read } from "@caigun/reading";
import { containsGold } from "./measures.ts";

export const handbooks = ["bicycle-works", "tea-house"] as const;
export type Handbook = (typeof handbooks)[number];

/** `answer` is null where the handbook does not hold one. */
export type CustomerQuestion = { question: string; answer: string | null };
/** Two questions of one conversation, of which the second can't be understood alone; the answer is the second's. */
export type FollowUp = { first: string; second: string; answer: string };
export type Outcome = CustomerQuestion & { reading: Reading; isRight: boolean };

const SEARCHED_PASSAGES = 5;

export function readHandbook(name: Handbook): {
  text: string;
  questions: CustomerQuestion[];
  followUps: FollowUp[];
} {
  const file = (ending: string) => readFileSync(new URL(`./handbooks/${name}.${ending}`, import.meta.url), "utf8");
  const rows = (ending: string) =>
    file(ending)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" | "));
  return {
    text: file("txt"),
    questions: rows("questions").map(([question = "", answer = "-"]) => ({
      question,
      answer: answer === "-" ? null : answer,
    })),
    followUps: rows("followups").map(([first = "", second = "", answer = ""]) => ({ first, second, answer })),
  };
}

/** Asks a handbook all its questions. Right is a reply with the answer, or a refusal where there is none. */
export function askHandbook(name: Handbook): Outcome[] {
  const { text, questions } = readHandbook(name);
  const folder = mkdtempSync(join(tmpdir(), "caigun-handbook-"));
  try {
    buildIndex(join(folder, "index"), [{ id: name, title: name, text }]);
    const index = openIndex(join(folder, "index"));
    try {
      return questions.map(({ question, answer }) => {
        const reading = read(question, index.search(question, SEARCHED_PASSAGES));
        const isRight = answer === null ? !reading.answered : reading.answered && containsGold(reading.text, [answer]);
        return { question, answer, reading, isRight };
      });
    } finally {
      index.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Shares (0..1): of the answerable questions answered right, and of the others refused. */
export function rates(outcomes: readonly Outcome[]): { answered_right: number; refused: number } {
  const share = (those: readonly Outcome[]) => those.filter(({ isRight }) => isRight).length / those.length;
  return {
    answered_right: share(outcomes.filter(({ answer }) => answer !== null)),
    refused: share(outcomes.filter(({ answer }) => answer === null)),
  };
}

if (import.meta.main) {
  for (const name of handbooks) {
    const outcomes = askHandbook(name);
    console.log(name, rates(outcomes));
    if (!process.argv.includes("--failures")) continue;
    for (const { question, answer, reading } of outcomes.filter(({ isRight }) => !isRight))
      console.log(
        `  ${question}\n    wanted ${answer ?? "a refusal"}; ${reading.confidence.toFixed(2)}: ${reading.candidate.text}`,
      );
  }
}
