import type { Word } from "@caigun/text";

/** A question as it is searched for. */
export interface CorrectedQuestion {
  text: string;
  /** What was put for other words: UTF-16 offsets in the text, ascending. */
  corrections: { start: number; end: number; typed: string }[];
}

/** Whether a word of a corrected question was put there. */
export function isCorrection(
  word: Pick<Word, "start" | "end">,
  corrections: CorrectedQuestion["corrections"],
): boolean {
  return corrections.some(({ start, end }) => word.start < end && start < word.end);
}
