import { type Block, blocks } from "./blocks.ts";
import type { Normalised } from "./normalise.ts";
import { asks, markLength } from "./question-marks.ts";
import { columns } from "./scripts.ts";
import { characterEnd, sentences } from "./sentences.ts";
import { type Item, type Pieces, stableCuts } from "./stable-cuts.ts";

/** A stretch of the normalised text that is searched and quoted as one; UTF-16 offsets. */
export interface Passage {
  start: number;
  end: number;
  kind: "prose" | "list" | "table" | "qa";
  /** Where what may be quoted as an answer begins: after a heading or a question that the passage starts with. */
  answerStart: number;
  /** The heading that the passage stands under. */
  heading?: string;
  /** For "qa": the question that the passage answers. */
  question?: string;
}

export type Places = Pick<Normalised, "toSource" | "toSourceEnd">;
const SAME_PLACES: Places = { toSource: (offset) => offset, toSourceEnd: (offset) => offset };

// Neighbours that are narrower than this stand together; what is wider than the longest is cut at sentence ends.
const SHORT_COLUMNS = 200;
const JOINED: Pieces = { least: 120, most: 480 };
const CUT: Pieces = { least: 500, most: 1600 };
const LONGEST_COLUMNS = 2000;
const LONGEST_ANSWER_COLUMNS = 1200;
// What is stored and quoted is the sent text: invisible characters, which the normal form lacks, count there.
const LONGEST_SOURCE = 8000;
const LONGEST_HEADING = 500;
const LONGEST_HEADING_CHAIN = 3;

/**
 * Cuts a normalised text into passages. Paragraphs, headings, lists, tables, and questions with their answers are
 * kept together; every character that is not white space lies in one passage. A cut depends on what stands around it alone
 * (stable-cuts.ts), so that an edit moves no passage elsewhere. With the places in the sent text, no
 * passage has more than 8000 UTF-16 units there.
 */
export function cutPassages(text: string, places: Places = SAME_PLACES): Passage[] {
  const found: Passage[] = [];
  const all = blocks(text);
  let headingStart: number | undefined;
  let heading: string | undefined;
  let chain = 0;
  for (let index = 0; index < all.length; index++) {
    const block = all[index]!;
    const start = headingStart ?? block.start;
    const isAsked = block.kind === "question" || (block.kind === "heading" && asks(firstLine(text, block)));
    const last = isAsked ? endOfAnswer(all, index + 1, text) : index;
    if (block.kind === "question" || last > index) {
      const passage = questionPassage(text, start, block, all[last]!, heading);
      if (columns(text.slice(passage.start, passage.end)) <= LONGEST_COLUMNS) found.push(passage);
      else addPassages(found, text, underQuestion(passage));
      if (block.kind === "heading") heading = headingText(text.slice(block.start, block.end));
      headingStart = undefined;
      chain = 0;
      index = last;
      continue;
    }
    if (block.kind === "heading" && headsOver(block, all[index + 1], chain)) {
      heading = headingText(text.slice(block.start, block.end));
      headingStart = start;
      chain++;
      continue;
    }
    chain = 0;
    headingStart = undefined;
    const kind = block.kind === "list" || block.kind === "table" ? block.kind : "prose";
    addPassages(found, text, {
      start,
      end: block.end,
      kind,
      answerStart: block.start,
      ...(heading ? { heading } : {}),
    });
  }
  return joined(found, text).flatMap((passage) => piecesOf(trimmed(text, passage), text, places));
}

/** Short lines one after another are lines, not headings of each other; marked headings may follow each other. */
function headsOver(block: Block, following: Block | undefined, chain: number): boolean {
  if (!following) return false;
  return following.kind !== "heading" || (block.isMarked && chain < LONGEST_HEADING_CHAIN);
}

function firstLine(text: string, block: Block): string {
  return text.slice(block.start, block.end).split("\n", 1)[0]!;
}

function headingText(text: string): string {
  return text
    .split("\n", 1)[0]!
    .slice(0, LONGEST_HEADING)
    .replace(/^[\s#=*]+|[\s#=*:：]+$/gu, "");
}

/**
 * The index of the last block of the answer that begins at `first`; first - 1 where none follows. All that stands before
 * the next question is its answer; before other text or the end, only the first paragraph and the lists after it are,
 * unless the question is a marked heading, which heads all that follows.
 */
function endOfAnswer(all: Block[], first: number, text: string): number {
  const answer = all[first];
  const isAsked = (block: Block) => block.kind === "question" || asks(firstLine(text, block));
  if (!answer || answer.isMarked || isAsked(answer)) return first - 1;
  let last = first;
  let closest = first;
  for (let index = first + 1; index < all.length; index++) {
    const block = all[index]!;
    if (isAsked(block)) return last;
    if (block.kind === "heading" || block.kind === "answer") break;
    if (columns(text.slice(answer.start, block.end)) > LONGEST_ANSWER_COLUMNS) break;
    last = index;
    if (closest === index - 1 && (block.kind === "list" || block.kind === "table")) closest = index;
  }
  return all[first - 1]!.isMarked ? last : closest;
}

function questionPassage(text: string, start: number, question: Block, last: Block, heading?: string): Passage {
  const asked = text.slice(question.start, question.end);
  const answerFrom = last === question ? question.end : question.end + 1;
  const answer = text.slice(answerFrom, last.end);
  const lead = answer.length - answer.trimStart().length;
  return {
    start,
    end: last.end,
    kind: last === question ? "prose" : "qa",
    answerStart:
      last === question ? question.start : answerFrom + lead + markLength(answer.trimStart().split("\n", 1)[0]!),
    question: headingText(asked.slice(markLength(asked))).trim(),
    ...(heading ? { heading } : {}),
  };
}

/** An answer too long to be quoted whole is text under a heading. */
function underQuestion({ question, ...passage }: Passage): Passage {
  return { ...passage, kind: "prose", ...(question ? { heading: question } : {}) };
}

function addPassages(found: Passage[], text: string, passage: Passage): void {
  if (columns(text.slice(passage.start, passage.end)) <= LONGEST_COLUMNS) {
    found.push(passage);
    return;
  }
  const offset = passage.answerStart;
  const all = sentences(text.slice(offset, passage.end));
  const cuts = stableCuts(
    all.map(({ start, end }) => itemOf(text.slice(offset + start, offset + end))),
    CUT,
  );
  let { start } = passage;
  for (const cut of cuts) {
    const end = offset + all[cut - 1]!.end;
    found.push({ ...passage, start, end, answerStart: Math.max(start, offset) });
    start = offset + all[cut]!.start;
  }
  found.push({ ...passage, start, answerStart: Math.max(start, offset) });
}

/** Short neighbours of one kind under one heading as one passage. */
function joined(passages: readonly Passage[], text: string): Passage[] {
  const items = passages.map(({ start, end }) => itemOf(text.slice(start, end)));
  const joins = (at: number) => {
    const [previous, passage] = [passages[at - 1], passages[at]];
    return (
      previous !== undefined &&
      passage !== undefined &&
      previous.kind !== "qa" &&
      passage.answerStart === passage.start &&
      previous.heading === passage.heading &&
      (previous.kind === passage.kind || (previous.kind === "prose" && passage.kind === "list")) &&
      items[at - 1]!.columns < SHORT_COLUMNS &&
      items[at]!.columns < SHORT_COLUMNS
    );
  };
  const found: Passage[] = [];
  for (let start = 0; start < passages.length; ) {
    let end = start + 1;
    while (joins(end)) end++;
    const cuts = [0, ...stableCuts(items.slice(start, end), JOINED), end - start];
    for (const [nth, cut] of cuts.slice(0, -1).entries())
      found.push({ ...passages[start + cut]!, end: passages[start + cuts[nth + 1]! - 1]!.end });
    start = end;
  }
  return found;
}

const itemOf = (text: string): Item => ({ text, columns: columns(text) });

/** A passage cut at the longest size anywhere, where no sentence ends in time: in its heading, or between invisible characters. */
function piecesOf(passage: Passage, text: string, places: Places): Passage[] {
  const sourceLength = (from: number, to: number) => places.toSourceEnd(to) - places.toSource(from);
  const { start, end, answerStart } = passage;
  if (columns(text.slice(start, end)) <= LONGEST_COLUMNS && sourceLength(start, end) <= LONGEST_SOURCE)
    return [passage];
  const whole = passage.kind === "qa" ? underQuestion(passage) : passage;
  const pieces: Passage[] = [];
  for (let from = start; from < end; ) {
    let low = from + 1;
    let high = Math.min(from + LONGEST_COLUMNS / 2, end);
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (sourceLength(from, middle) <= LONGEST_SOURCE) low = middle;
      else high = middle - 1;
    }
    const to = low < end ? characterEnd(text, from, low) : end;
    if (text.slice(from, to).trim() !== "") {
      pieces.push(
        trimmed(text, { ...whole, start: from, end: to, answerStart: answerStart < to ? answerStart : from }),
      );
    }
    from = to;
  }
  return pieces;
}

function trimmed(text: string, passage: Passage): Passage {
  const slice = text.slice(passage.start, passage.end);
  const start = passage.start + (slice.length - slice.trimStart().length);
  return {
    ...passage,
    start,
    end: passage.start + slice.trimEnd().length,
    answerStart: Math.max(start, passage.answerStart),
  };
}
