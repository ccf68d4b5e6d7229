import { foldHan } from "@caigun/text";
import kinds from "./answer-kind.json" with { type: "json" };

interface AnswerKinds {
  /** What asks for a number, a time or a date; folded to Simplified, lower case. */
  asksForNumber: readonly string[];
  /** What looks as if it did. */
  not: readonly string[];
  /** Numbers in words. */
  numerals: readonly string[];
}

const kindsOf: Readonly<Record<string, AnswerKinds>> = kinds;
const DIGIT = /\p{N}/u;

/** Of the answers that a question can have: whether a sentence may be one. */
export type MayAnswer = (sentence: string) => boolean;

/** A sentence that holds no number can't say how much or when. Any may answer where that is not what is asked. */
export function mayAnswerOf(question: string, language: string): MayAnswer {
  const words = kindsOf[language];
  if (!words) return () => true;
  const asked = foldHan(question).toLowerCase();
  const isAsked =
    words.asksForNumber.some((phrase) => holds(asked, phrase)) && !words.not.some((phrase) => holds(asked, phrase));
  if (!isAsked) return () => true;
  return (sentence) => {
    if (DIGIT.test(sentence)) return true;
    const said = foldHan(sentence).toLowerCase();
    return words.numerals.some((numeral) => holds(said, numeral));
  };
}

/** As a word of its own, where words are written apart. */
function holds(text: string, phrase: string): boolean {
  for (let at = text.indexOf(phrase); at >= 0; at = text.indexOf(phrase, at + 1)) {
    const isWord = !isSpacedLetter(text[at - 1]) && !isSpacedLetter(text[at + phrase.length]);
    if (isWord || !isSpacedLetter(phrase[0])) return true;
  }
  return false;
}

const SPACED_LETTER = /^(?!\p{Script=Han})[\p{L}\p{M}]/u;
const isSpacedLetter = (character: string | undefined) => character !== undefined && SPACED_LETTER.test(character);
