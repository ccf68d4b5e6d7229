import { createRequire } from "node:module";
import { commonWords } from "./common-words.ts";

const require = createRequire(import.meta.url);
const SAMPLE_CHARACTERS = 4000;
// Below this the library's first guess on a few words is often wrong ("Which planet?").
const SURE_ACCURACY = 0.2;
const WEIGHED_GUESSES = 5;
const FEW_LETTERS = 80;
const MORE_COMMON_WORDS = 2;

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
  if (best.accuracy >= SURE_ACCURACY) return best.lang;
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
  return own === 0 ? 1 : own + MORE_COMMON_WORDS;
}

function countCommonWords(text: string, language: string): number {
  const common = commonWords(language);
  return (text.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? []).filter((word) => common.has(word)).length;
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
