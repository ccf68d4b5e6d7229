import { anyOf } from "./patterns.ts";
import type { Vocabulary } from "./vocabulary.ts";

export interface Numeral {
  value: number;
  /** Minutes after the hour, where it is written as a clock time ("7:30"). */
  minutes?: number;
  start: number;
  end: number;
}

const HAN_DIGITS: Readonly<Record<string, number>> = {
  零: 0,
  〇: 0,
  一: 1,
  二: 2,
  两: 2,
  三: 3,
  四: 4,
  五: 5,
  六: 6,
  七: 7,
  八: 8,
  九: 9,
};
const HAN_SMALL: Readonly<Record<string, number>> = { 十: 10, 百: 100, 千: 1_000 };
const HAN_LARGE: Readonly<Record<string, number>> = { 万: 10_000, 亿: 100_000_000 };
const DIGITS = "\\d{1,3}(?:,\\d{3})+(?:\\.\\d+)?|\\d+:\\d{2}(?!\\d)|\\d+(?:\\.\\d+)?";
const HAN = "[零〇一二两三四五六七八九十百千][零〇一二两三四五六七八九十百千万亿]*";
const finders = new Map<Vocabulary, { all: RegExp; scale: RegExp }>();

/** The numbers of a normalised text in Simplified characters, in digits, Han characters or words. */
export function numerals(text: string, vocabulary: Vocabulary): Numeral[] {
  const { all, scale } = finderFor(vocabulary);
  const found: Numeral[] = [];
  for (const match of text.matchAll(all)) {
    const { digits, han, words } = match.groups!;
    const start = match.index;
    // The word for "million" has been read with the digits before it.
    if (start < (found.at(-1)?.end ?? 0)) continue;
    let end = start + match[0].length;
    if (digits !== undefined) {
      const [whole = "", minutes] = digits.replaceAll(",", "").split(":");
      let value = Number(whole);
      const scaled = /^[千万亿]+/u.exec(text.slice(end)) ?? scale.exec(text.slice(end));
      if (scaled && minutes === undefined) {
        value *= scaleOf(scaled[0].trim(), vocabulary);
        end += scaled[0].length;
      }
      found.push({ value, ...(minutes === undefined ? {} : { minutes: Number(minutes) }), start, end });
    } else if (han !== undefined) found.push({ value: hanValue(han), start, end });
    else found.push({ value: wordsValue(words!, vocabulary), start, end });
  }
  return found;
}

function finderFor(vocabulary: Vocabulary) {
  let finder = finders.get(vocabulary);
  if (!finder) {
    const word = anyOf([...Object.keys(vocabulary.numerals), ...Object.keys(vocabulary.scales)]);
    finder = {
      all: new RegExp(`(?<digits>${DIGITS})|(?<han>${HAN})|(?<words>${word}(?:[\\s-]+${word})*)`, "giu"),
      scale: new RegExp(`^\\s*${anyOf(Object.keys(vocabulary.scales))}`, "iu"),
    };
    finders.set(vocabulary, finder);
  }
  return finder;
}

function scaleOf(written: string, { scales }: Vocabulary): number {
  const named = scales[written.toLowerCase()];
  if (named !== undefined) return named;
  return [...written].reduce((product, character) => product * (HAN_SMALL[character] ?? HAN_LARGE[character] ?? 1), 1);
}

/** 一千二百 is 1200; 二〇二四, without multipliers, is 2024. */
function hanValue(written: string): number {
  const characters = [...written];
  if (characters.every((character) => character in HAN_DIGITS))
    return characters.reduce((value, character) => 10 * value + HAN_DIGITS[character]!, 0);
  let total = 0;
  let section = 0;
  let digit: number | undefined;
  for (const character of characters) {
    if (character in HAN_DIGITS) digit = HAN_DIGITS[character]!;
    else if (character in HAN_SMALL) {
      section += (digit ?? 1) * HAN_SMALL[character]!;
      digit = undefined;
    } else {
      total = (total + section + (digit ?? 0)) * HAN_LARGE[character]!;
      section = 0;
      digit = undefined;
    }
  }
  return total + section + (digit ?? 0);
}

function wordsValue(written: string, { numerals, scales }: Vocabulary): number {
  let total = 0;
  let section = 0;
  for (const word of written.toLowerCase().split(/[\s-]+/u)) {
    const scale = scales[word];
    if (scale === undefined) section += numerals[word] ?? 0;
    else if (scale === 100) section = (section || 1) * scale;
    else {
      total += (section || 1) * scale;
      section = 0;
    }
  }
  return total + section;
}
