import { createRequire } from "node:module";
import { commonWords } from "./common-words.ts";

const require = createRequire(import.meta.url);
const SAMPLE_CHARACTERS = 4000;
// Below this the library's first guess on a few words is often wrong ("Which planet?").
const SURE_ACCURACY = 0.2;
const WEIGHED_GUESSES = 5;
const FEW_LETTERS = 80;
const MORE_COMMON_WORDS = 2;
// So many words without a common one are hardly of a language.
const LEAST_WORDS = 3;
const SHORTEST_MISTYPED = 3;

// A script that (nearly) one language alone is written in names it; the others are told apart by a library.
const SCRIPT_LANGUAGES: [RegExp, string][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/gu, "ja"],
  [/\p{Script=Han}/gu, "zh"],
  [/\p{Script=Hangul}/gu, "ko"],
  [/\p{Script=Thai}/gu, "th"],
  [/\p{Script=Lao}/gu, "lo"],
  [/\p{Script=Khmer}/gu, "km"],
  [/\p{Script=Myanmar}/gu, "my"],
  [/\p{Script=Greek}/gu, "el"],
  [/\p{Script=Hebrew}/gu, "he"],
  [/\p{Script=Armenian}/gu, "hy"],
  [/\p{Script=Georgian}/gu, "ka"],
  [/\p{Script=Tamil}/gu, "ta"],
  [/\p{Script=Bengali}/gu, "bn"],
];

export interface DetectionOptions {
  /** Only these languages are considered. */
  among?: readonly string[];
  /** What to say where the text is too short to tell, such as the language of what it is about. */
  unsure?: string;
}

/**
 * The language of a text as a BCP-47 primary subtag, "und" where it cannot be told. Looks at the text's first and
 * middle characters.
 */
export function detectLanguage(text: string, { among, unsure }: DetectionOptions = {}): string {
  if (among?.length === 1) return among[0]!;
  const fallback = unsure ?? among?.[0] ?? "und";
  const sample = sampleOf(text);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return fallback;
  const byScript = byScriptAlone(sample, letters);
  if (byScript !== undefined && (among === undefined || among.includes(byScript))) return byScript;
  const { detectAll } = require(isFewPlainLetters(sample, letters) ? "tinyld/light" : "tinyld") as {
    detectAll(text: string, options?: { only?: string[] }): Guess[];
  };
  // The library takes a table's bars for Hindi's full stops.
  const guesses = detectAll(sample.replaceAll("|", " "), among ? { only: [...among] } : {});
  const [best] = guesses;
  if (!best) return fallback;
  if (best.accuracy >= SURE_ACCURACY)
    return unsure === undefined || letters >= FEW_LETTERS || isClearly(best.lang, sample, unsure) ? best.lang : unsure;
  const likely = mostCommonWords(sample, guesses);
  if (unsure !== undefined && guesses.some(({ lang }) => lang === unsure))
    return likely && likely.count >= leastToDiffer(sample, unsure) ? likely.language : unsure;
  return likely?.language ?? best.lang;
}

interface Guess {
  lang: string;
  accuracy: number;
}

/** Among sixty languages a few plain words are nearly always also words of a rare one: the common ones alone are tried then. */
function isFewPlainLetters(sample: string, letters: number): boolean {
  return letters < FEW_LETTERS && !/[^\p{ASCII}]/u.test(sample);
}

/** Of what a few words may be, the language most of whose common words ("is", "the") are among them; undefined where none are. */
function mostCommonWords(text: string, guesses: readonly Guess[]): { language: string; count: number } | undefined {
  let most: { language: string; count: number } | undefined;
  for (const { lang: language } of guesses.slice(0, WEIGHED_GUESSES)) {
    const count = countCommonWords(text, language);
    if (count > (most?.count ?? 0)) most = { language, count };
  }
  return most;
}

/** How many common words another language needs to have in a text that leans to this one: "do" alone is Portuguese too. */
function leastToDiffer(text: string, language: string): number {
  const own = countCommonWords(text, language);
  if (own === 0) return 1;
  return hasForeignLetters(text, commonWords(language)) ? own : own + MORE_COMMON_WORDS;
}

/**
 * Whether a few words are of another language than the one that they are expected in. A single typo makes the library
 * sure of a language that has such letters in a row ("bycicle", "whre"), so the words must say it too.
 */
function isClearly(language: string, text: string, expected: string): boolean {
  if (language === expected) return true;
  const found = wordsOf(text);
  const [other, own] = [commonWords(language), commonWords(expected)];
  const ofOther = found.filter((word) => other.has(word) && !own.has(word)).length;
  const ofOwn = found.filter((word) => own.has(word) && !other.has(word)).length;
  if (ofOwn > 0) return ofOther >= ofOwn + MORE_COMMON_WORDS;
  const mistyped = found.filter((word) => !other.has(word) && isSlipOfAny(word, own)).length;
  if (ofOther > 0) return ofOther >= mistyped;
  return hasForeignLetters(text, own) || (mistyped === 0 && found.length >= LEAST_WORDS);
}

/** Whether a letter of a word was left out or swapped with the next, or in a longer one put in or exchanged; never the first. */
function isSlipOfAny(word: string, common: ReadonlySet<string>): boolean {
  if (word.length < SHORTEST_MISTYPED) return false;
  for (const meant of common) if (meant.length >= SHORTEST_MISTYPED && isSlipOf(word, meant)) return true;
  return false;
}

function isSlipOf(word: string, meant: string): boolean {
  let same = 0;
  while (same < word.length && word[same] === meant[same]) same += 1;
  if (same === 0) return false;
  const [typed, right] = [word.slice(same), meant.slice(same)];
  return (
    typed === right.slice(1) ||
    (meant.length > SHORTEST_MISTYPED && (typed.slice(1) === right || typed.slice(1) === right.slice(1))) ||
    (typed[0] === right[1] && typed[1] === right[0] && typed.slice(2) === right.slice(2))
  );
}

/** Whether a text has letters that no common word of a language has; ASCII's are in names everywhere. */
function hasForeignLetters(text: string, common: ReadonlySet<string>): boolean {
  const known = new Set([...common].join(""));
  return (
    common.size > 0 && (text.toLowerCase().match(/(?!\p{ASCII})\p{L}/gu) ?? []).some((letter) => !known.has(letter))
  );
}

/** Without "a", which is a word of too many languages. */
function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []).filter((word) => word !== "a");
}

function countCommonWords(text: string, language: string): number {
  const common = commonWords(language);
  return wordsOf(text).filter((word) => common.has(word)).length;
}

/** The language that a text's script names by itself, such as Thai's; undefined where several languages share it. */
export function languageOfScript(text: string): string | undefined {
  const sample = sampleOf(text);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  return letters === 0 ? undefined : byScriptAlone(sample, letters);
}

function sampleOf(text: string): string {
  if (text.length <= 2 * SAMPLE_CHARACTERS) return text;
  const middle = text.length >> 1;
  return `${text.slice(0, SAMPLE_CHARACTERS)} ${text.slice(middle, middle + SAMPLE_CHARACTERS)}`;
}

function byScriptAlone(sample: string, letters: number): string | undefined {
  const share = (script: RegExp) => (sample.match(script)?.length ?? 0) / letters;
  // Kana beside Han is Japanese; a few Han characters among Latin names already carry the sentence.
  const kana = share(SCRIPT_LANGUAGES[0]![0]);
  const han = share(SCRIPT_LANGUAGES[1]![0]);
  if (kana + han >= 0.15) return kana >= 0.1 * (kana + han) ? "ja" : "zh";
  for (const [script, language] of SCRIPT_LANGUAGES.slice(2)) if (share(script) >= 0.3) return language;
  return undefined;
}
