import { createRequire } from "node:module";
import { SNOWBALL_LANGUAGES } from "./snowball.ts";

const require = createRequire(import.meta.url);

const CACHED_STEMS = 50_000;

export type Stemmer = (word: string) => string;

const stemmers = new Map<string, Stemmer>();

/**
 * The function that brings a lower-cased word to its stem without diacritics; where the language has no stemmer, it
 * only takes the diacritics off. Loaded at first use; stems are remembered, since few words make up most of a text.
 */
export function stemmerFor(language: string): Stemmer {
  let stemmer = stemmers.get(language);
  if (!stemmer) {
    stemmer = remembering(loadStemmer(language));
    stemmers.set(language, stemmer);
  }
  return stemmer;
}

function loadStemmer(language: string): Stemmer {
  const name = SNOWBALL_LANGUAGES[language];
  if (!name) return (word) => word;
  return (require(`@orama/stemmers/${name}`) as { stemmer: Stemmer }).stemmer;
}

function remembering(stem: Stemmer): Stemmer {
  const known = new Map<string, string>();
  return (word) => {
    const found = known.get(word);
    if (found !== undefined) return found;
    if (known.size >= CACHED_STEMS) known.clear();
    const result = withoutDiacritics(stem(word)) || word;
    known.set(word, result);
    return result;
  };
}

/** Only where the base is Latin, Greek or Cyrillic: elsewhere a mark is a letter of its own (Thai, Devanagari). */
export function withoutDiacritics(word: string): string {
  if (!/[\u00c0-\u1fff]/.test(word)) return word;
  return word
    .normalize("NFD")
    .replace(/([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])\p{M}+/gu, "$1")
    .normalize("NFC");
}
