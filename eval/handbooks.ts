/**
 * node eval/handbooks.ts [--failures]: our own two handbooks, with questions as customers ask them, a third of which the
 * handbook does not answer though it comes close. Nothing is fitted on them.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIndex, openIndex } from "@caigun/passages";
import { type Reading, read, resolveFollowUp } from "@caigun/reading";
import { containsGold } from "./measures.ts";

export const handbooks = ["bicycle-works", "tea-house"] as const;
export type Handbook = (typeof handbooks)[number];

/** `answer` is null where the handbook does not hold one. */
export type CustomerQuestion = { question: string; answer: string | null };
/** Two questions of one conversation, of which the second can't be understood alone; the answer is the second's. */
export type FollowUp = { first: string; second: string; answer: string };
export type Outcome = CustomerQuestion & { reading: Reading; isRight: boolean };
/** `question` is what was searched for. */
export type FollowUpOutcome = FollowUp & { question: string; reading: Reading; isRight: boolean };

const SEARCHED_PASSAGES = 8;

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
  return withHandbook(name, ({ questions }, ask) =>
    questions.map(({ question, answer }) => {
      const reading = ask(question);
      const isRight = answer === null ? !reading.answered : reading.answered && containsGold(reading.text, [answer]);
      return { question, answer, reading, isRight };
    }),
  );
}

/** Asks a handbook the second question of each of its follow-ups, resolved as a conversation resolves it. */
export function askFollowUps(name: Handbook): FollowUpOutcome[] {
  return withHandbook(name, ({ followUps }, ask) =>
    followUps.map((followUp) => {
      const question = resolveFollowUp(followUp.second, followUp.first);
      const reading = ask(question);
      const isRight = reading.answered && containsGold(reading.text, [followUp.answer]);
      return { ...followUp, question, reading, isRight };
    }),
  );
}

function withHandbook<Result>(
  name: Handbook,
  work: (handbook: ReturnType<typeof readHandbook>, ask: (question: string) => Reading) => Result,
): Result {
  const handbook = readHandbook(name);
  const folder = mkdtempSync(join(tmpdir(), "caigun-handbook-"));
  try {
    buildIndex(join(folder, "index"), [{ id: name, title: name, text: handbook.text }]);
    const index = openIndex(join(folder, "index"));
    try {
      return work(handbook, (question) => read(question, index.search(question, SEARCHED_PASSAGES)));
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

/** The share (0..1) of the follow-ups that are answered right. */
export function followUpRate(outcomes: readonly FollowUpOutcome[]): number {
  return outcomes.filter(({ isRight }) => isRight).length / outcomes.length;
}

if (import.meta.main) {
  for (const name of handbooks) {
    const outcomes = askHandbook(name);
    const followUps = askFollowUps(name);
    console.log(name, { ...rates(outcomes), follow_ups: followUpRate(followUps) });
    if (!process.argv.includes("--failures")) continue;
    const tell = (question: string, answer: string | null, { confidence, candidate }: Reading) =>
      console.log(`  ${question}\n    wanted ${answer ?? "a refusal"}; ${confidence.toFixed(2)}: ${candidate.text}`);
    for (const { question, answer, reading, isRight } of outcomes) if (!isRight) tell(question, answer, reading);
    for (const { first, second, question, answer, reading, isRight } of followUps)
      if (!isRight) tell(`${first} ${second} -> ${question}`, answer, reading);
  }
}
