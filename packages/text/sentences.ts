import { columns } from "./scripts.ts";
import { isBarred, tablesOf } from "./tables.ts";

/** UTF-16 offsets, end exclusive. */
export interface Span {
  start: number;
  end: number;
}

// What ends a sentence: a mark that needs a space after it (full stop, question mark), or one that does not.
const END = /([.!?…؟۔՞;]+|[。!?｡।॥።៕]+)(["'”’»›」』】）)\]]*)/gu;
const NEEDS_NO_SPACE = /^[。｡।॥።៕]/u;
const WIDE_BEFORE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}"'”’」』】）)\]]$/u;
// Short forms whose full stop does not end a sentence.
const SHORT_FORM =
  /(?:^|[\s("'“‘[])(?:\p{L}|(?:\p{L}\.)+\p{L}|mr|mrs|ms|dr|prof|st|mt|ft|jr|sr|vs|etc|al|cf|fig|no|nos|vol|pp|approx|dept|est|inc|ltd|co|corp|gen|col|lt|sgt|capt|rev|hon|gov|sen|rep|pres|bzw|z\.b|usw|ca|bd|nr|str|sra?|dra?|mme|mlle)$/iu;
const NUMBER_OF_ITEM = /^\s*\(?\p{Nd}{1,3}(?:\.\p{Nd}{1,3})*$/u;
const WRAPPED_FROM_COLUMNS = 45;
const WRAPPED_TO_COLUMNS = 120;
const LONGEST_SENTENCE = 600;
const SHORTEST_PIECE = 240;
const MOST_MARKS = 32;

/**
 * The sentences of a normalised text, trimmed, in order. A line end is a space where the text is wrapped at a column
 * and an end otherwise. A row of a table is one sentence, whatever marks it holds. What has no sentence marks for 600 characters is cut at a line end, comma or space.
 */
export function sentences(text: string): Span[] {
  const found: Span[] = [];
  let start = 0;
  for (const end of sentenceEnds(text)) {
    addTrimmed(found, text, start, end);
    start = end;
  }
  addTrimmed(found, text, start, text.length);
  return found;
}

function* sentenceEnds(text: string): Generator<number> {
  const tables = tablesOf(text);
  let table = 0;
  let lineStart = 0;
  while (lineStart < text.length) {
    const newline = text.indexOf("\n", lineStart);
    const lineEnd = newline < 0 ? text.length : newline;
    const line = text.slice(lineStart, lineEnd);
    while (table < tables.length && tables[table]!.end <= lineStart) table++;
    const isRow = isBarred(line) || (table < tables.length && tables[table]!.start <= lineStart);
    for (const match of isRow ? [] : line.matchAll(END)) {
      const end = match.index + match[0].length;
      if (endsSentence(line, match.index, match[1]!, end)) yield lineStart + end;
    }
    if (newline >= 0 && (isRow || !isWrapped(line))) yield lineEnd;
    lineStart = lineEnd + 1;
  }
}

function endsSentence(line: string, at: number, mark: string, end: number): boolean {
  if (NEEDS_NO_SPACE.test(mark)) return true;
  if (mark[0] === ";" || mark === "") return false;
  const after = line.slice(end, end + 12);
  if (mark !== ".") {
    if (after === "" || /^\s/u.test(after)) return !/^\s+\p{Ll}/u.test(after);
    return WIDE_BEFORE.test(line.slice(Math.max(0, at - 2), at));
  }
  if (after === "") return true;
  if (!/^\s/u.test(after) || /^\s+[\p{Ll},;]/u.test(after)) return false;
  return !SHORT_FORM.test(line.slice(Math.max(0, at - 12), at)) && !(at < 8 && NUMBER_OF_ITEM.test(line.slice(0, at)));
}

function isWrapped(line: string): boolean {
  const width = columns(line);
  return width >= WRAPPED_FROM_COLUMNS && width <= WRAPPED_TO_COLUMNS;
}

function addTrimmed(found: Span[], text: string, from: number, to: number): void {
  let start = from;
  let end = to;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  while (end - start > LONGEST_SENTENCE) {
    const cut = cutPoint(text, start + SHORTEST_PIECE, start + LONGEST_SENTENCE);
    addTrimmed(found, text, start, cut);
    start = cut;
    while (start < end && isSpace(text.charCodeAt(start))) start++;
  }
  if (end > start) found.push({ start, end });
}

/** The best place to cut between two offsets: after a line end, else a comma or semicolon, else a space, else anywhere between two characters. */
function cutPoint(text: string, from: number, to: number): number {
  const window = text.slice(from, to);
  for (const mark of [/\n(?=[^\n]*$)/u, /[,;，、；][^,;，、；]*$/u, /\s\S*$/u]) {
    const at = window.search(mark);
    if (at >= 0) return from + at + 1;
  }
  return characterEnd(text, from, to);
}

/** The last offset after `from` and up to `to` where a character ends with its marks; `to` where there are too many marks. */
export function characterEnd(text: string, from: number, to: number): number {
  for (let cut = to; cut > Math.max(from, to - MOST_MARKS); cut--) {
    if (!/^[\p{M}\udc00-\udfff\u200d]/u.test(text.slice(cut, cut + 1))) return cut;
  }
  return to;
}

function isSpace(unit: number): boolean {
  return unit === 32 || unit === 10 || unit === 9;
}
