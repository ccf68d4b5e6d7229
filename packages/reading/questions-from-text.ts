import { normalise, type Word, words } from "@caigun/text";
import foreign from "./foreign-questions.json" with { type: "json" };

/** A question made from a sentence by leaving out one word, which is its answer. */
export interface Cloze {
  question: string;
  answer: string;
}

const LONGEST_SENTENCE = 1000;
/** Telling words of a sentence that a question keeps: with more of them every model would find everything. */
const KEPT_WORDS = 2;
const BLANK = "___";
const DIGIT = /\p{Nd}/u;

/**
 * Two telling words of a sentence, as someone asks who remembers hardly more of it; `turn` chooses which. Undefined
 * where it has no more than these.
 */
export function queryFrom(sentence: string, language: string, turn: number): string | undefined {
  const { text, telling } = read(sentence, language);
  if (telling.length <= KEPT_WORDS) return undefined;
  return some(telling, KEPT_WORDS, turn)
    .map(({ start, end }) => text.slice(start, end))
    .join(" ");
}

/**
 * Two telling words of a sentence and a blank in place of a number, or where it has none of its longest telling word.
 * Undefined where it has no more than these.
 */
export function clozeFrom(sentence: string, language: string, turn: number): Cloze | undefined {
  const { text, telling } = read(sentence, language);
  if (telling.length <= KEPT_WORDS + 1) return undefined;
  const worth = ({ term, start, end }: Word) => (DIGIT.test(term) ? text.length : 0) + end - start;
  const left = telling.reduce((best, word) => (worth(word) > worth(best) ? word : best));
  const others = telling.filter((word) => word !== left);
  const kept = [...some(others, KEPT_WORDS, turn), left].sort((a, b) => a.start - b.start);
  const question = kept.map((word) => (word === left ? BLANK : text.slice(word.start, word.end))).join(" ");
  return { question, answer: text.slice(left.start, left.end) };
}

/**
 * Questions about things that hardly any text is about, in its language; none where no list is written. A text may
 * answer one or two of them all the same: an encyclopaedia does.
 */
export function foreignQuestions(language: string): readonly string[] {
  return new Map<string, readonly string[]>(Object.entries(foreign)).get(language) ?? [];
}

/** The words of a sentence that say something and stand there once. */
function read(sentence: string, language: string): { text: string; telling: Word[] } {
  const { text } = normalise(sentence.slice(0, LONGEST_SENTENCE));
  const found = words(text, language).filter(({ pair, part }) => !pair && !part);
  const byTerm = Map.groupBy(found, ({ term }) => term);
  return { text, telling: found.filter(({ term, common }) => !common && byTerm.get(term)!.length === 1) };
}

/** So many of the words, in their order, evenly apart; `turn` says with which of them it begins. */
function some(telling: readonly Word[], count: number, turn: number): Word[] {
  return Array.from({ length: count }, (_, at) => {
    const place = turn + Math.floor((at * telling.length) / count);
    return telling[place % telling.length]!;
  }).sort((a, b) => a.start - b.start);
}
