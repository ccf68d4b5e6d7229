import { detectLanguage } from "@caigun/text";
import lists from "./follow-up.json" with { type: "json" };
import * as spaced from "./follow-up-spaced.ts";
import * as unspaced from "./follow-up-unspaced.ts";

/** The words by which one language's questions lean on what was said before; lower case. */
export interface FollowUpWords {
  /** What such a question begins with, and what it ends with. */
  connectors: string[];
  endings: string[];
  pronouns: string[];
  /** Where what looks like one of these words is none: a pronoun that stands for nothing, a character within a name. */
  exceptions: string[];
  /** What a pronoun may stand for before it is said: "what does it cost to". */
  anticipated: string[];
  /** What asks, and so names no thing. */
  asking: string[];
  /** Verbs that ask, and say little else: a question with none of them and nothing of its own is a part of one. */
  verbs: string[];
  /** Those of them after which a thing may stand alone: "how much is the bag?". */
  copulas: string[];
  speakers: string[];
  /** What ties a noun to its sentence; one of these in both questions says which part is exchanged. */
  linking: string[];
  /** What stands beside a name and says nothing. */
  articles: string[];
  numerals: string[];
}

/**
 * How a question leans on the one before it. `exchange`: it names another thing to ask the same of ("and on Sundays?");
 * `topic`: it asks something else of the same thing ("how much is it?").
 */
export type Leaning = { kind: "exchange"; part: string } | { kind: "topic" };

/** A longer question says all that it means, and no question leans on one longer than that. UTF-16 units. */
export const LONGEST_FOLLOW_UP = 120;
export const LONGEST_BEFORE = 400;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
const FIRST_SENTENCE = /^.*?[?？!！。.](?=\s|$|(?<=[？！。]))/su;

const wordLists = lists as Record<string, FollowUpWords>;

/** Whether a question may lean on an earlier one, so that the conversation has to be looked at. */
export function mayFollowUp(question: string): boolean {
  return Object.values(wordLists).some((words) => leaningOf(question, words) !== undefined);
}

/**
 * The question as it would be asked had nothing been said before: together with what it leans on of the question before
 * it (that one as it was resolved itself), or as it is where it stands alone or nothing came before. Knows the languages
 * that follow-up.json has words of.
 */
export function resolveFollowUp(question: string, before: string | undefined): string {
  if (before === undefined || before.length > LONGEST_BEFORE) return question;
  // A follow-up alone is too short to tell its language.
  const words = wordLists[detectLanguage(`${before} ${question}`)];
  const leaning = words && leaningOf(question, words);
  if (!leaning) return question;
  const { exchange } = SPACELESS.test(before) ? unspaced : spaced;
  if (leaning.kind === "exchange") return exchange(before, leaning.part, words);
  // What a resolved question begins with is what the conversation is about; what it asked of that is asked no more.
  const topic = FIRST_SENTENCE.exec(before)?.[0] ?? before;
  return `${topic}${SPACELESS.test(topic) ? "" : " "}${question}`;
}

function leaningOf(question: string, words: FollowUpWords): Leaning | undefined {
  if (question.length > LONGEST_FOLLOW_UP) return undefined;
  return SPACELESS.test(question) ? unspaced.leaningOf(question, words) : spaced.leaningOf(question, words);
}
