/**
 * node eval/handbooks.ts [--words] [--failures]: our own two handbooks, with questions as customers ask them, a third of which the
 * handbook does not answer though it comes close. Nothing is fitted on them.
 * With --words they are searched by their words alone.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Found, openIndex, type SourceDocument } from "@caigun/passages";
import { type Reading, read, resolveFollowUp } from "@caigun/reading";
import { writeIndex } from "../apps/caigun/src/engines/local-reader/write-index.ts";
import { EmbeddedSearch } from "./embedded.ts";
import { containsGold } from "./measures.ts";

export const handbooks = ["bicycle-works", "tea-house"] as const;
export type Handbook = (typeof handbooks)[number];

/** `answer` is null where the handbook does not hold one. */
export type CustomerQuestion = { question: string; answer: string | null };
/** Two questions of one conversation, of which the second can't be understood alone; the answer is the second's. */
export type FollowUp = {
  first: string;
  second: string;
  answer: string;
  /** The second as a person puts it who wants it understood alone. */
  standalone: string;
};
export type Outcome = CustomerQuestion & { reading: Reading; isRight: boolean };
/** `question` is what was searched for. */
export type FollowUpOutcome = FollowUp & { question: string; reading: Reading; isRight: boolean };

/** As the product does by words, and by words and vectors. */
const SEARCHED_PASSAGES = { words: 8, vectors: 10 };

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
    followUps: rows("followups").map(([first = "", second = "", answer = ""], at) => {
      const [standalone = ""] = rows("standalone")[at] ?? [];
      return { first, second, answer, standalone };
    }),
  };
}

/** Finds passages for questions. */
export type Search = (documents: SourceDocument[], questions: readonly string[]) => Promise<Found[]>;

/** Asks a handbook all its questions. Right is a reply with the answer, or a refusal where there is none. */
export async function askHandbook(name: Handbook, search: Search = searchByWords): Promise<Outcome[]> {
  const { text, questions } = readHandbook(name);
  const asked = questions.map(({ question }) => question);
  const found = await search([{ id: name, title: name, text }], asked);
  return questions.map(({ question, answer }, at) => {
    const reading = read(question, found[at]!);
    const isRight = answer === null ? !reading.answered : reading.answered && containsGold(reading.text, [answer]);
    return { question, answer, reading, isRight };
  });
}

/** Asks a handbook the second question of each of its follow-ups, resolved as a conversation resolves it. */
export async function askFollowUps(name: Handbook, search: Search = searchByWords): Promise<FollowUpOutcome[]> {
  const { text, followUps } = readHandbook(name);
  const resolved = followUps.map(({ first, second }) => resolveFollowUp(second, first));
  const found = await search([{ id: name, title: name, text }], resolved);
  return followUps.map((followUp, at) => {
    const question = resolved[at]!;
    const reading = read(question, found[at]!);
    const isRight = reading.answered && containsGold(reading.text, [followUp.answer]);
    return { ...followUp, question, reading, isRight };
  });
}

/** By words and vectors. */
export const searchBy =
  (embedded: EmbeddedSearch): Search =>
  (documents, questions) =>
    embedded.ask(documents, questions, SEARCHED_PASSAGES.vectors);

export async function searchByWords(documents: SourceDocument[], questions: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "caigun-handbook-"));
  try {
    writeIndex(join(folder, "index"), documents);
    const index = openIndex(join(folder, "index"));
    try {
      return questions.map((question) => {
        const { text, corrections } = index.correct(question);
        return index.search(text, SEARCHED_PASSAGES.words, { corrections });
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

/** The share (0..1) of the follow-ups that are answered right. */
export function followUpRate(outcomes: readonly FollowUpOutcome[]): number {
  return outcomes.filter(({ isRight }) => isRight).length / outcomes.length;
}

if (import.meta.main) {
  const embedded = process.argv.includes("--words") ? undefined : await EmbeddedSearch.fetched();
  const search = embedded && searchBy(embedded);
  for (const name of handbooks) {
    const outcomes = await askHandbook(name, search);
    const followUps = await askFollowUps(name, search);
    console.log(name, { ...rates(outcomes), follow_ups: followUpRate(followUps) });
    if (!process.argv.includes("--failures")) continue;
    const tell = (question: string, answer: string | null, { confidence, candidate }: Reading) =>
      console.log(`  ${question}\n    wanted ${answer ?? "a refusal"}; ${confidence.toFixed(2)}: ${candidate.text}`);
    for (const { question, answer, reading, isRight } of outcomes) if (!isRight) tell(question, answer, reading);
    for (const { first, second, question, answer, reading, isRight } of followUps)
      if (!isRight) tell(`${first} ${second} -> ${question}`, answer, reading);
  }
  await embedded?.close();
}
