import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const SAMPLE_CHARACTERS = 4000;

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

/**
 * The language of a text as a BCP-47 primary subtag, "und" where it cannot be told. Looks at the text's first and
 * middle characters. With `among`, only those languages are considered.
 */
export function detectLanguage(text: string, among?: readonly string[]): string {
  if (among?.length === 1) return among[0]!;
  const sample = sampleOf(text);
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return among?.[0] ?? "und";
  const byScript = languageOfScript(sample, letters);
  if (byScript !== undefined && (among === undefined || among.includes(byScript))) return byScript;
  const { detect } = require("tinyld/light") as { detect(text: string, options?: { only?: string[] }): string };
  const detected = detect(sample, among ? { only: [...among] } : {});
  return detected || (among?.[0] ?? "und");
}

function sampleOf(text: string): string {
  if (text.length <= 2 * SAMPLE_CHARACTERS) return text;
  const middle = text.length >> 1;
  return `${text.slice(0, SAMPLE_CHARACTERS)} ${text.slice(middle, middle + SAMPLE_CHARACTERS)}`;
}

function languageOfScript(sample: string, letters: number): string | undefined {
  const share = (script: RegExp) => (sample.match(script)?.length ?? 0) / letters;
  // Kana beside Han is Japanese; a few Han characters among Latin names already carry the sentence.
  const kana = share(SCRIPT_LANGUAGES[0]![0]);
  const han = share(SCRIPT_LANGUAGES[1]![0]);
  if (kana + han >= 0.15) return kana >= 0.1 * (kana + han) ? "ja" : "zh";
  for (const [script, language] of SCRIPT_LANGUAGES.slice(2)) if (share(script) >= 0.3) return language;
  return undefined;
}
