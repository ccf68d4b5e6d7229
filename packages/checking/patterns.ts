import type { Vocabulary } from "./vocabulary.ts";

const SPECIAL = /[.*+?^${}()|[\]\\/]/g;
const SPACED = "[\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}]";
const STARTS_SPACED = new RegExp(`^${SPACED}`, "u");
const ENDS_SPACED = new RegExp(`${SPACED}$`, "u");

/** A pattern that finds any of some words, the longest first: whole words where a script has spaces, else anywhere. */
export function anyOf(words: readonly string[]): string {
  if (words.length === 0) return "(?!)";
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  return `(?:${longestFirst.map(wordPattern).join("|")})`;
}

function wordPattern(word: string): string {
  const escaped = word.replaceAll(SPECIAL, "\\$&").replaceAll("'", "['’]").replaceAll(" ", "\\s+");
  const before = STARTS_SPACED.test(word) && !word.startsWith("n't") ? `(?<!${SPACED})` : "";
  return `${before}${escaped}${ENDS_SPACED.test(word) ? `(?!${SPACED})` : ""}`;
}

export interface Patterns {
  bounds: RegExp;
  negative: RegExp;
  universal: RegExp;
  exclusive: RegExp;
  conditions: RegExp;
  order: RegExp;
  before: RegExp;
  laterSteps: RegExp;
  joins: RegExp;
  breaks: RegExp;
  /** What ends a clause, and what ends the smaller stretch that a number belongs to. */
  clauseEnd: RegExp;
  segmentEnd: RegExp;
  /** What a condition on one side of it does not reach across. */
  reachEnd: RegExp;
}

// Not within a number.
const PUNCTUATION = "(?<!\\d)[,;:.!?]|[,;:.!?](?!\\d)|[，；：。！？—()（）]";
const known = new Map<Vocabulary, Patterns>();

export function patternsOf(vocabulary: Vocabulary): Patterns {
  let patterns = known.get(vocabulary);
  if (!patterns) {
    const { before, after, joins, breaks } = vocabulary;
    const otherBreaks = breaks.filter((word) => !vocabulary.conditions.includes(word));
    const find = (source: string) => new RegExp(source, "giu");
    patterns = {
      bounds: find(anyOf(vocabulary.bounds)),
      negative: find(anyOf(vocabulary.negative)),
      universal: find(anyOf(vocabulary.universal)),
      exclusive: find(anyOf(vocabulary.exclusive)),
      conditions: find(anyOf(vocabulary.conditions)),
      order: find(anyOf([...before, ...after])),
      before: new RegExp(`^${anyOf(before)}$`, "iu"),
      laterSteps: find(anyOf(vocabulary.laterSteps)),
      joins: find(anyOf(joins)),
      breaks: find(anyOf(breaks)),
      clauseEnd: find(`${PUNCTUATION}|${anyOf(breaks)}`),
      segmentEnd: find(`${PUNCTUATION}|${anyOf([...breaks, ...joins.filter((join) => join !== "、")])}`),
      reachEnd: find(`(?<!\\d)[;.!?\\n]|[;.!?\\n](?!\\d)|[；。！？]|${anyOf(otherBreaks)}`),
    };
    known.set(vocabulary, patterns);
  }
  return patterns;
}
