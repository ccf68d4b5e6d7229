import { createRequire } from "node:module";
import { SNOWBALL_LANGUAGES } from "./snowball.ts";

const require = createRequire(import.meta.url);
// Languages without a stemmer that the library has a list for.
const UNSTEMMED: Readonly<Record<string, string>> = { ja: "japanese", sl: "slovenian", zh: "mandarin" };
const known = new Map<string, ReadonlySet<string>>();

/**
 * The words that say little in a language ("the", "what", "的"), lower-cased and before stemming; empty where no list
 * exists. In a short text such a word may be rare, so its weight must not come from the text's own counts alone.
 */
export function commonWords(language: string): ReadonlySet<string> {
  let words = known.get(language);
  if (!words) {
    const name = SNOWBALL_LANGUAGES[language] ?? UNSTEMMED[language];
    words = new Set(name ? (require(`@orama/stopwords/${name}`) as { stopwords: string[] }).stopwords : []);
    known.set(language, words);
  }
  return words;
}
