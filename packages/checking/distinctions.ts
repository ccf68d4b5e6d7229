import { foldHan, normalise, words } from "@caigun/text";
import { patternsOf } from "./patterns.ts";
import { valuesOf } from "./values.ts";
import { vocabularyOf } from "./vocabulary.ts";

const NUMERIC = /\p{N}/u;

/**
 * The numbers, times, weekdays, months and negations of a text, each once, in a writing that all wordings of them share:
 * texts that differ in one of these say different things, however many other words they share. Negations and numbers in
 * words are known in the languages of vocabulary.json alone.
 */
export function distinctionsOf(source: string, language: string): string[] {
  const text = foldHan(normalise(source).text);
  const vocabulary = vocabularyOf(language);
  const { values } = valuesOf(text, vocabulary);
  const negations = [...text.matchAll(patternsOf(vocabulary).negative)].map(([word]) => word.toLowerCase());
  // A "1" that counts nothing is no value, and neither is the number of a name ("B12").
  const otherNumbers = words(text, language).filter(
    ({ term, start, end, part }) =>
      !part && NUMERIC.test(term) && !values.some((value) => start < value.end && value.start < end),
  );
  return [
    ...new Set([
      ...values.map(({ kind, amount }) => `${kind} ${amount}`),
      ...otherNumbers.map(({ term }) => term),
      ...negations.map((word) => `not: ${word.replace("’", "'")}`),
    ]),
  ].sort();
}
