import { detectLanguage } from "@caigun/text";
import type { CorrectedQuestion } from "./corrected.ts";
import { isOrdinary } from "./ordinary-words.ts";
import { type Vocabulary, wordsAsIndexed } from "./question.ts";
import { type Spellings, spellable } from "./spellings.ts";

/**
 * A normalised question with its slips corrected: a word that no passage holds becomes the nearest of the texts' own that
 * may be told, of equally near ones the most frequent. Common words, numbers, short words and scripts that are no alphabet
 * stay.
 */
export function correctQuestion(
  text: string,
  vocabulary: Vocabulary,
  spellings: Spellings,
  mayBeTold: (spelling: string, term: string) => boolean,
): CorrectedQuestion {
  const language = detectLanguage(text, { among: vocabulary.languages });
  // In a text of several languages, or for a question in another, the one looked up first may not be the word's.
  const languages = new Set([language, ...vocabulary.languages, detectLanguage(text)]);
  const corrections: CorrectedQuestion["corrections"] = [];
  let corrected = "";
  let copied = 0;
  for (const word of wordsAsIndexed(text, language, vocabulary)) {
    if (word.common || word.pair || word.part || vocabulary.find(word.term)) continue;
    const typed = spellable(text.slice(word.start, word.end));
    if (!typed || isOrdinary(typed, languages)) continue;
    const meant = mostFrequent(spellings.near(typed), language, vocabulary, mayBeTold);
    if (!meant) continue;
    corrected += text.slice(copied, word.start);
    const start = corrected.length;
    corrected += withCaseOf(typed, meant);
    corrections.push({ start, end: corrected.length, typed });
    copied = word.start + typed.length;
  }
  return { text: corrected + text.slice(copied), corrections };
}

function mostFrequent(
  near: readonly string[],
  language: string,
  vocabulary: Vocabulary,
  mayBeTold: (spelling: string, term: string) => boolean,
): string | undefined {
  let most = 0;
  let best: string | undefined;
  for (const written of near) {
    const [word] = wordsAsIndexed(written, language, vocabulary);
    const passages = (word && vocabulary.find(word.term)?.passages) ?? 0;
    if (!word || passages <= most || !mayBeTold(written, word.term)) continue;
    most = passages;
    best = written;
  }
  return best;
}

function withCaseOf(typed: string, word: string): string {
  const [first = ""] = typed;
  if (first === first.toLowerCase()) return word;
  if (typed === typed.toUpperCase()) return word.toUpperCase();
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
