import { detectLanguage, type Word, words } from "@caigun/text";
import { type CorrectedQuestion, isCorrection } from "./corrected.ts";

/** A term of the question; its id is -1 where no passage holds it. */
export interface QueryTerm {
  id: number;
  /**
   * Inverse document frequency, natural logarithm: how much the term tells one passage from another. A term that no
   * passage holds counts as if one did: a rare word says no more by being absent.
   */
  idf: number;
  /** Says little in its language. */
  common: boolean;
  /** Holds a digit. */
  numeric: boolean;
  /** Two neighbouring characters that are no word. */
  pair: boolean;
  /** A piece of another term at the same place of the question. */
  part: boolean;
  /** Put for another word that no passage holds. */
  corrected: boolean;
}

export interface Query {
  /** The language (of those of the documents) in which the question's words were looked up first. */
  language: string;
  terms: QueryTerm[];
}

/** What an index knows of its terms. */
export interface Vocabulary {
  /** The documents' languages, the main one first. */
  languages: readonly string[];
  passages: number;
  find(term: string): { id: number; passages: number } | undefined;
}

interface FoundTerm {
  term: string;
  passages: number;
  asked: QueryTerm;
}

// A term that more than this share or number of the passages holds ranks nothing and costs the most. In a small index counts say
// little: there the language's common words are left out instead.
const FREQUENT_SHARE = 0.2;
const FREQUENT_PASSAGES = 5000;
const SMALL_INDEX_PASSAGES = 100;
const KEPT_FREQUENT_TERMS = 3;
const TRIED_LANGUAGES = 4;
// In a short text a common word may be rare, and a rare one in every passage; what is known of the language steadies both.
const COMMON_PRIOR = { passages: 50, share: 0.3 };
const RARE_PRIOR = { passages: 50, share: 0 };
const NUMERIC = /\p{Nd}/u;

/** The question as terms with their weights, and as an FTS5 expression ("" where no passage holds any of them). */
export function parseQuestion(
  text: string,
  vocabulary: Vocabulary,
  corrections: CorrectedQuestion["corrections"] = [],
): { query: Query; match: string } {
  const language = detectLanguage(text, { among: vocabulary.languages });
  const found = new Map<string, FoundTerm>();
  for (const word of wordsAsIndexed(text, language, vocabulary)) {
    const known = found.get(word.term);
    const corrected = isCorrection(word, corrections);
    if (!known) found.set(word.term, lookUp(word, corrected, vocabulary));
    else {
      known.asked.part &&= word.part;
      known.asked.corrected &&= corrected;
    }
  }
  const terms = [...found.values()];
  const held = terms.filter((term) => term.passages > 0).sort((a, b) => a.passages - b.passages);
  const tells =
    vocabulary.passages < SMALL_INDEX_PASSAGES
      ? (term: FoundTerm) => !term.asked.common
      : (term: FoundTerm) => term.passages <= Math.min(vocabulary.passages * FREQUENT_SHARE, FREQUENT_PASSAGES);
  const telling = held.filter(tells);
  const matched = telling.length > 0 ? telling : held.slice(0, KEPT_FREQUENT_TERMS);
  return {
    query: { language, terms: terms.map(({ asked }) => asked) },
    match: matched.map(({ term }) => `"${term}"`).join(" OR "),
  };
}

/**
 * The question's words in its language; a word that no passage holds is tried with the stems of the documents' other
 * languages, since a few words do not always tell theirs.
 */
export function wordsAsIndexed(text: string, language: string, vocabulary: Vocabulary): Word[] {
  const found = words(text, language);
  const others = vocabulary.languages.slice(0, TRIED_LANGUAGES).filter((other) => other !== language);
  for (const other of others) {
    const byPlace = new Map(words(text, other).map((word) => [`${word.start}:${word.end}`, word]));
    for (const [index, word] of found.entries()) {
      const variant = byPlace.get(`${word.start}:${word.end}`);
      if (!variant || variant.term === word.term || vocabulary.find(word.term)) continue;
      if (vocabulary.find(variant.term)) found[index] = { ...word, term: variant.term };
    }
  }
  return found;
}

function lookUp({ term, common, pair, part }: Word, corrected: boolean, vocabulary: Vocabulary): FoundTerm {
  const { id, passages } = vocabulary.find(term) ?? { id: -1, passages: 0 };
  const idf = inverseFrequency(Math.max(1, passages), vocabulary.passages, common ? COMMON_PRIOR : RARE_PRIOR);
  return { term, passages, asked: { id, idf, common, numeric: NUMERIC.test(term), pair, part, corrected } };
}

/** As if the index also held some passages of other texts, a share of which held the term. */
function inverseFrequency(holding: number, passages: number, prior: { passages: number; share: number }): number {
  const held = holding + prior.passages * prior.share;
  return Math.log(1 + (passages + prior.passages - held + 0.5) / (held + 0.5));
}
