import { detectLanguage, words } from "@caigun/text";
import { distinctionsOf } from "./distinctions.ts";
import { instructs } from "./instructions.ts";

/** What is said in more is no question. UTF-16 units. */
export const LONGEST_REWRITING = 400;
/** Of its words, so many may be neither the question's nor those of the questions before it ("offer", "happens"). */
const MOST_ADDED = 0.25;
/** Of the question's own words, so many have to be in it. */
const LEAST_KEPT = 0.6;

/**
 * Whether a text can be a question put so that it is understood without those before it: it holds the question's words,
 * numbers and negations, hardly a word and no number that nobody asked for, and is more than one of the questions over
 * again.
 */
export function isRewriting(text: string, question: string, before: readonly string[]): boolean {
  if (text.length > LONGEST_REWRITING || instructs(text)) return false;
  const conversation = [...before, question].join("\n");
  const language = detectLanguage(conversation);
  const contentOf = (of: string) => contentIn(of, language);
  const distinctionsIn = (of: string) => withoutWordings(distinctionsOf(of, language));
  const written = contentOf(text);
  return (
    written.size > 0 &&
    shareOf(written, contentOf(conversation)) >= 1 - MOST_ADDED &&
    shareOf(contentOf(question), written) >= LEAST_KEPT &&
    distinctionsIn(text).isSubsetOf(distinctionsIn(conversation)) &&
    distinctionsIn(question).isSubsetOf(distinctionsIn(text)) &&
    ![...before, question].some((asked) => written.symmetricDifference(contentOf(asked)).size === 0)
  );
}

/** The share (0..1) of some words that others hold; 1 where there are none. */
function shareOf(some: Set<string>, others: Set<string>): number {
  return some.size === 0 ? 1 : some.intersection(others).size / some.size;
}

/** Neighbouring characters that are no word change with what stands around a word. */
function contentIn(text: string, language: string): Set<string> {
  return new Set(words(text, language).flatMap(({ term, common, pair }) => (common || pair ? [] : [term])));
}

/** "not" for every negation: "it wasn't" is put as "it was not". */
function withoutWordings(distinctions: string[]): Set<string> {
  return new Set(distinctions.map((distinction) => distinction.replace(/^not: .*/su, "not")));
}
