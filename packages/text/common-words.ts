import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const known = new Map<string, ReadonlySet<string>>();
let lists: Record<string, string[]> | undefined;

/**
 * The words that say little in a language ("the", "what", "的"), lower-cased and before stemming; empty where no list
 * exists. In a short text such a word may be rare, so its weight must not come from the text's own counts alone.
 */
export function commonWords(language: string): ReadonlySet<string> {
  let words = known.get(language);
  if (!words) {
    lists ??= require("stopwords-iso/stopwords-iso.json") as Record<string, string[]>;
    words = new Set(lists[language] ?? []);
    known.set(language, words);
  }
  return words;
}
