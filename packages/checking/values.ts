import { numerals } from "./numerals.ts";
import { anyOf } from "./patterns.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A number with its unit, a time of the day, a weekday or month, or a rate; UTF-16 offsets. */
export interface Value {
  /** A unit's dimension, "count" without a unit, "clock", "calendar" or "rate". */
  kind: string;
  /** In the base of the dimension; minutes after midnight for a clock. */
  amount: number | string;
  /** The number as it stands, whatever its unit. */
  written: number | undefined;
  /** A clock time that does not say which half of the day it means. */
  eitherHalf?: boolean;
  start: number;
  end: number;
}

export interface ValueRange {
  from: Value;
  to: Value;
}

const HALF_DAY_MIN = 12 * 60;
const COUNT = "count";
const CLOCK = "clock";
export const CALENDAR = "calendar";
/** What a number can begin after: within a word, and after a number and its measure word, a dash is no minus. */
const OPENS_NUMBER = /(?:^|[\s\p{Ps}\p{Pi}\p{Sc}\p{Sm}"':：,，。])$|(?<!\d\s*\p{Script=Han}{0,4})(?<=\p{Script=Han})$/u;

export function sameValue(stated: Value, held: Value): boolean {
  if (stated.kind === CLOCK && held.kind === CLOCK) {
    const apart = Math.abs(Number(stated.amount) - Number(held.amount));
    return apart === 0 || (apart === HALF_DAY_MIN && (stated.eitherHalf || held.eitherHalf) === true);
  }
  // A number without a unit says less than one with it.
  if (stated.kind === COUNT) return stated.written === held.written;
  if (stated.kind !== held.kind) return false;
  if (typeof stated.amount === "string") return stated.amount === held.amount;
  return Math.abs(stated.amount - Number(held.amount)) <= 1e-9 * Math.abs(stated.amount);
}

/** All that is counted, measured or dated in a normalised text in Simplified characters, and its ranges. */
export function valuesOf(text: string, vocabulary: Vocabulary): { values: Value[]; ranges: ValueRange[] } {
  const {
    unit,
    currency,
    rate,
    calendar,
    joined,
    hours,
    morning,
    evening,
    minusWord,
    startsWithMinus,
    rangeWord,
    unitOf,
  } = finderFor(vocabulary);
  const values: Value[] = [];
  for (const match of text.matchAll(calendar)) {
    const name = vocabulary.calendar;
    const amount = Object.keys(name).find((key) =>
      name[key]!.some((word) => word === match[0] || (word === word.toLowerCase() && word === match[0].toLowerCase())),
    );
    if (amount) add({ kind: CALENDAR, amount, written: undefined }, match.index, match.index + match[0].length);
  }
  for (const match of text.matchAll(rate)) {
    const { dimension, factor } = unitOf(match.groups!.unit!);
    const start = match.index;
    add({ kind: "rate", amount: `${dimension} ${factor}`, written: undefined }, start, start + match[0].length);
  }
  for (const { value, minutes, start, end } of numerals(text, vocabulary)) {
    if (values.some((other) => start < other.end && end > other.start)) continue;
    // 零 is a number, but not in 零下.
    if (startsWithMinus.test(text.slice(start))) continue;
    const before = text.slice(Math.max(0, start - 12), start);
    const after = text.slice(end, end + 24);
    const hour = hours.exec(after);
    const isMorning = morning.before.test(before) || morning.after.test(after);
    const isEvening = evening.before.test(before) || evening.after.test(after);
    if (minutes !== undefined || hour || ((isMorning || isEvening) && value <= 12)) {
      const isHalfPast = hour !== null && /^半/u.test(after.slice(hour[0].length));
      const amount = (isEvening && value < 12 ? value + 12 : value) * 60 + (minutes ?? (isHalfPast ? 30 : 0));
      const period = morning.after.exec(after) ?? evening.after.exec(after);
      const eitherHalf = !isMorning && !isEvening && value <= 12;
      add({ kind: CLOCK, amount, written: value, eitherHalf }, start, end + (hour ?? period ?? [""])[0].length);
      continue;
    }
    const named = unit.exec(after);
    const sign = currency.exec(before);
    const currencyStart = start - (sign?.[0].length ?? 0);
    const minus = minusBefore(start) || minusBefore(currencyStart);
    const written = minus > 0 ? -value : value;
    if (named || sign) {
      const { dimension, factor } = unitOf((named ?? sign)![0].trim());
      add(
        { kind: dimension, amount: written * factor, written },
        (named ? start : currencyStart) - minus,
        end + (named?.[0].length ?? 0),
      );
    } else if (written !== 1) add({ kind: COUNT, amount: written, written }, start - minus, end);
  }
  values.sort((a, b) => a.start - b.start);
  return { values, ranges: rangesOf(text, values, joined) };

  /** How long the minus sign is that ends here; 0 where there is none, or a dash that joins two things. */
  function minusBefore(at: number): number {
    const written = text.slice(0, at);
    const word = minusWord.exec(written);
    if (word) return word[0].length;
    if (!/[-−–]$/u.test(written) || !/[\d\p{Sc}]/u.test(text[at] ?? "")) return 0;
    const left = written.slice(0, -1);
    const joins = left.trimEnd();
    if (/\d$/u.test(joins) || values.some(({ end }) => end === joins.length)) return 0;
    return rangeWord.test(left) || OPENS_NUMBER.test(left) ? 1 : 0;
  }

  function add(value: Omit<Value, "start" | "end">, start: number, end: number): void {
    values.push({ ...value, start, end });
  }
}

/** "7 to 9 am", "18 至 65 元": what the one number is said to be, the other is too. */
function rangesOf(text: string, values: Value[], joined: RegExp): ValueRange[] {
  const ranges: ValueRange[] = [];
  for (let index = 0; index + 1 < values.length; index++) {
    const from = values[index]!;
    const to = values[index + 1]!;
    if (!joined.test(text.slice(from.end, to.start))) continue;
    ranges.push({ from, to });
    const [bare, full] = from.kind === COUNT ? [from, to] : [to, from];
    if (bare.kind !== COUNT || full.kind === COUNT || bare.written === undefined || full.written === undefined)
      continue;
    bare.kind = full.kind;
    if (full.kind === CLOCK) {
      bare.amount = bare.written * 60;
      bare.eitherHalf = true;
    } else bare.amount = bare.written * (Number(full.amount) / full.written);
  }
  return ranges;
}

interface Finder {
  unit: RegExp;
  currency: RegExp;
  rate: RegExp;
  calendar: RegExp;
  joined: RegExp;
  hours: RegExp;
  morning: { before: RegExp; after: RegExp };
  evening: { before: RegExp; after: RegExp };
  minusWord: RegExp;
  startsWithMinus: RegExp;
  rangeWord: RegExp;
  unitOf(written: string): { dimension: string; factor: number };
}
const finders = new Map<Vocabulary, Finder>();

function finderFor(vocabulary: Vocabulary): Finder {
  let finder = finders.get(vocabulary);
  if (!finder) {
    finder = makeFinder(vocabulary);
    finders.set(vocabulary, finder);
  }
  return finder;
}

function makeFinder({ units, rates, ranges, hours, morning, evening, calendar, minus }: Vocabulary): Finder {
  const factors = new Map<string, { dimension: string; factor: number }>();
  for (const { dimension, words } of units)
    for (const [word, factor] of Object.entries(words)) {
      factors.set(word, { dimension, factor });
      // Plurals of the languages that form them so; in others no such word is met.
      if (/^[a-z ]{3,}$/.test(word)) factors.set(`${word}s`, { dimension, factor });
    }
  const written = [...factors.keys()];
  const spans = units
    .filter(({ dimension }) => dimension === "seconds" || dimension === "months")
    .flatMap(({ words }) => Object.keys(words));
  const around = (words: readonly string[]) => ({
    before: new RegExp(`${anyOf(words)}\\s*$`, "iu"),
    after: new RegExp(`^\\s*${anyOf(words.map((word) => word.replace(/\.$/, "")))}`, "iu"),
  });
  /** "NT$": the letters before a currency's sign make it another currency. */
  const lettered = (word: string) => {
    const sign = factors.get(word.slice(-1));
    // A unit that no list has is one of its own.
    if (!sign) return { dimension: word, factor: 1 };
    return { dimension: `${word.slice(0, -1)} ${sign.dimension}`, factor: sign.factor };
  };
  const signs = anyOf(written.filter((word) => /^\p{Sc}$/u.test(word)));
  const rangeWords = ranges.filter((word) => /\p{L}/u.test(word));
  return {
    unit: new RegExp(`^[\\s-]*${anyOf(written)}`, "u"),
    currency: new RegExp(`(?<!\\p{L})\\p{Lu}{0,3}${signs}\\s*$|${signs}\\s*$`, "u"),
    rate: new RegExp(`${anyOf(rates)}\\s*(?<unit>${anyOf(spans)})`, "giu"),
    calendar: new RegExp(anyOf(Object.values(calendar).flat()), "giu"),
    joined: new RegExp(`^\\s*${anyOf(ranges)}\\s*(?:${anyOf([...morning, ...evening])})?$`, "iu"),
    hours: new RegExp(`^\\s*${anyOf(hours)}`, "iu"),
    morning: around(morning),
    evening: around(evening),
    minusWord: new RegExp(`${anyOf(minus)}\\s*$`, "iu"),
    startsWithMinus: new RegExp(`^${anyOf(minus)}`, "iu"),
    rangeWord: new RegExp(`${anyOf(rangeWords)}\\s*$`, "iu"),
    unitOf: (found) => {
      // "a 15-yard penalty"
      const word = found.replace(/^[\s-]+/u, "").replace(/\s+/gu, " ");
      return factors.get(word) ?? factors.get(word.toLowerCase()) ?? lettered(word);
    },
  };
}
