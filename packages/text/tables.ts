import type { Span } from "./sentences.ts";

/** A table written in Markdown; UTF-16 offsets, end exclusive. */
export interface Table {
  /** What its columns are called; empty where its first line is a row like the others. */
  head: string[];
  /** Of its lines, head and rule among them. */
  start: number;
  end: number;
  /** Its rows, in order: without head and rule. */
  rows: Span[];
}

/** A cell without the space around it. */
export interface Cell extends Span {
  text: string;
}

/** "|---|:---:|", and without outer bars "--- | ---": what stands below a head. */
const RULE = /^\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?$/u;
const FENCE = /^\s*(?:```|~~~)/u;
const BAR = /(?<!\\)\|/gu;
/** A name of a column is seldom a number or an address; one that stands over a single column of values is the first of them. */
const VALUE = /[\p{Nd}@]/u;

/** The tables of a text, in order: lines between bars, the second of which is a rule, outside of fenced code. */
export function tablesOf(text: string): Table[] {
  if (!text.includes("|")) return [];
  const lines = linesOf(text);
  const tables: Table[] = [];
  let isCode = false;
  for (let at = 0; at < lines.length; at++) {
    if (FENCE.test(said(text, lines[at]!))) isCode = !isCode;
    const [head, rule] = [lines[at]!, lines[at + 1]];
    if (isCode || !rule || !isRule(said(text, rule)) || !hasBar(said(text, head))) continue;
    const names = cellsOf(text, head).map((cell) => cell.text);
    // A rule has as many cells as its head: it is none of a list's or a heading's.
    if (cellsOf(text, rule).length !== names.length) continue;
    const isRow = startsWithBar(said(text, head)) ? startsWithBar : hasBar;
    let last = at + 1;
    while (last + 1 < lines.length && isRow(said(text, lines[last + 1]!))) last++;
    const rows = lines.slice(at + 2, last + 1).filter((line) => !isRule(said(text, line)));
    const isHeadless = names.length === 2 && VALUE.test(names[1]!);
    tables.push({
      head: isHeadless ? [] : names,
      start: head.start,
      end: lines[last]!.end,
      rows: isHeadless ? [head, ...rows] : rows,
    });
    at = last;
  }
  return tables;
}

/** Whether a line by itself is a table's row, wherever it stands. */
export function isBarred(line: string): boolean {
  const row = line.trim();
  return (row.startsWith("|") || row.endsWith("|")) && row.indexOf("|") !== row.lastIndexOf("|");
}

/** What stands between a row's bars, without the escapes of bars. */
export function cellsOf(text: string, { start, end }: Span): Cell[] {
  const line = text.slice(start, end);
  const bars = [...line.matchAll(BAR)].map(({ index }) => index);
  const first = line.length - line.trimStart().length;
  const last = line.trimEnd().length - 1;
  // Outer bars part nothing.
  const edges = [...(bars[0] === first ? [] : [-1]), ...bars, ...(bars.at(-1) === last ? [] : [line.length])];
  return edges.slice(1).map((to, at) => {
    const from = edges[at]! + 1;
    const cell = line.slice(from, to);
    const begin = start + from + (cell.length - cell.trimStart().length);
    const words = cell.trim();
    return { text: words.replaceAll("\\|", "|"), start: begin, end: begin + words.length };
  });
}

function isRule(line: string): boolean {
  return RULE.test(line.trim());
}

const startsWithBar = (line: string) => line.trimStart().startsWith("|");
const hasBar = (line: string) => line.search(BAR) >= 0;
const said = (text: string, { start, end }: Span) => text.slice(start, end);

function linesOf(text: string): Span[] {
  const lines: Span[] = [];
  for (let start = 0; start <= text.length; ) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    lines.push({ start, end });
    start = end + 1;
  }
  return lines;
}
