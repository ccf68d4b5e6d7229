import type { Intervals } from "./bootstrap.ts";
import type { Figures } from "./figures.ts";

/** How much longer than the gold sentences a reply may be on average, so that length buys nothing. */
const LONGEST_RATIO = 1.15;

export interface Report extends Figures {
  questions: number;
  seconds: number;
  /** The learned weights that answered, by the name of their fit. */
  weights: string;
  retrieval: string;
  intervals: Intervals;
}

/** The report for a person. */
export function lines(name: string, report: Report): string[] {
  const { questions, seconds, weights, retrieval, intervals, ...figures } = report;
  const rows = (Object.keys(figures) as (keyof Figures)[]).map((figure) => {
    const value = figures[figure];
    const interval = intervals[figure];
    const shown = isLength(figure) ? chars : figure.startsWith("auc") ? area : percent;
    return `  ${figure.padEnd(20)}${value === null ? "-".padStart(8) : shown(value)}${interval && value !== null ? `   ${shown(interval[0])} ..${shown(interval[1])}` : ""}`;
  });
  return [
    `${name}: ${questions} questions in ${seconds.toFixed(0)} s, ${retrieval} retrieval, weights "${weights}"`,
    `  ${"".padEnd(20)}${"".padStart(8)}   95 % confidence interval, by articles`,
    ...rows,
    ...lengthLine("one sentence", figures.reply_chars_1, figures.gold_sentence_chars, LONGEST_RATIO),
    ...lengthLine("two sentences", figures.reply_chars_2, figures.gold_sentence_chars, 2 * LONGEST_RATIO),
  ];
}

function lengthLine(what: string, reply: number | null, gold: number | null, longest: number): string[] {
  if (reply === null || gold === null) return [];
  const ratio = reply / gold;
  return [
    `  ${what}: ${ratio.toFixed(2)} times the gold sentence (${ratio <= longest ? "at most" : "TOO LONG, more than"} ${longest.toFixed(2)})`,
  ];
}

const isLength = (figure: string) => figure.includes("chars");
const percent = (value: number) => `${(100 * value).toFixed(1)} %`.padStart(8);
const area = (value: number) => value.toFixed(3).padStart(8);
const chars = (value: number) => value.toFixed(0).padStart(8);
