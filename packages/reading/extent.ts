import { columns, foldHan, itemMarkLength } from "@caigun/text";
import type { EvidencePassage } from "./evidence.ts";
import pronouns from "./pronouns.json" with { type: "json" };
import type { Candidate } from "./ranking.ts";

/** A stretch of a passage's text that is quoted as one; UTF-16 offsets. */
export interface Extent {
  passage: EvidencePassage;
  start: number;
  end: number;
}

interface Pronouns {
  /** Folded to Simplified, lower case. */
  opening: readonly string[];
  /** Beginnings that refer to nothing. */
  not: readonly string[];
}

const pronounsOf: Readonly<Record<string, Pronouns>> = pronouns;

/** A list or table that is longer, in columns, is not quoted whole. */
const LONGEST_WHOLE = 600;
const LONGEST_ANTECEDENT = 400;
const LEADS_IN = /[:：]\s*$/u;
const CELL = /[\t|]/;

/** What a candidate says by itself: a line of a list or of a table comes with all of it, or where that is long with what heads it. */
export function wholeOf({ passage, start, end }: Candidate): Extent[] {
  const at = passage.sentences.findIndex((sentence) => sentence.start === start && sentence.end === end);
  if (at < 0) return [{ passage, start, end }];
  const isLine = passage.kind === "table" ? isRow : isItem;
  if (!isLine(passage, at)) return [{ passage, start, end }];
  let [first, last] = [at, at];
  while (first > 0 && isLine(passage, first - 1)) first--;
  while (last + 1 < passage.sentences.length && isLine(passage, last + 1)) last++;
  const lead = passage.kind === "table" ? undefined : leadIn(passage, first);
  const whole = { passage, start: lineStart(passage, lead ?? first), end: passage.sentences[last]!.end };
  if (columns(passage.text.slice(whole.start, whole.end)) <= LONGEST_WHOLE) return [whole];
  const head = passage.kind === "table" ? first : lead;
  const line = { passage, start, end };
  return head === undefined || head === at ? [line] : [{ passage, ...spanOf(passage, head) }, line];
}

/** The sentence before one that opens with a pronoun: what it refers to. Undefined where it stands by itself. */
export function antecedentOf({ passage, start, end }: Candidate, language: string): Extent | undefined {
  const at = passage.sentences.findIndex((sentence) => sentence.start === start && sentence.end === end);
  if (at < 1 || isItem(passage, at) || !opensWithPronoun(passage.text.slice(start, end), language)) return undefined;
  const before = spanOf(passage, at - 1);
  if (before.start < passage.answerStart || before.end - before.start > LONGEST_ANTECEDENT) return undefined;
  return { passage, ...before };
}

/** Whether what a sentence is about is named in the one before it. */
export function opensWithPronoun(sentence: string, language: string): boolean {
  const words = pronounsOf[language];
  if (!words) return false;
  const opening = foldHan(sentence.slice(0, 40)).toLowerCase();
  const opens = (beginning: string) =>
    opening.startsWith(beginning) && !/^(?!\p{Script=Han})\p{L}/u.test(opening.slice(beginning.length));
  return words.opening.some(opens) && !words.not.some(opens);
}

function isRow(passage: EvidencePassage, at: number): boolean {
  const { start, end } = passage.sentences[at]!;
  return CELL.test(passage.text.slice(start, end));
}

/** Whether a sentence stands behind a bullet or number at the beginning of its line. */
function isItem(passage: EvidencePassage, at: number): boolean {
  const { start, end } = passage.sentences[at]!;
  const line = passage.text.slice(lineStart(passage, at), end);
  return lineStart(passage, at) < start && itemMarkLength(line, true) > 0;
}

/** The sentence that a list is introduced by. */
function leadIn(passage: EvidencePassage, firstItem: number): number | undefined {
  if (firstItem === 0) return undefined;
  const { start, end } = spanOf(passage, firstItem - 1);
  return LEADS_IN.test(passage.text.slice(start, end)) ? firstItem - 1 : undefined;
}

function lineStart(passage: EvidencePassage, at: number): number {
  const { start } = passage.sentences[at]!;
  const line = passage.text.lastIndexOf("\n", start - 1) + 1;
  // Only a mark stands between the line's beginning and an item.
  return at > 0 && passage.sentences[at - 1]!.end > line ? start : line;
}

function spanOf(passage: EvidencePassage, at: number): { start: number; end: number } {
  const { start, end } = passage.sentences[at]!;
  return { start, end };
}
