import { asks, isAnswer, isQuestion } from "./question-marks.ts";
import { columns } from "./scripts.ts";

export type BlockKind = "prose" | "list" | "table" | "heading" | "question" | "answer";

/** Lines that belong together; UTF-16 offsets of the normalised text. */
export interface Block {
  start: number;
  end: number;
  kind: BlockKind;
  /** A heading by its mark ("#", "第一章"), not only by being short and alone. */
  isMarked: boolean;
}

interface Line {
  start: number;
  end: number;
  text: string;
}

const LIST_ITEM =
  /^\s*(?:[-*+–]\s|[•‣◦●○▪·]|\(?\p{Nd}{1,3}[.)、．](?!\p{Nd})|\(?[a-zA-Z][.)](?=\s)|[一二三四五六七八九十]{1,3}、)\s*(?=\S)/u;
const BULLET = /^\s*[-*+•‣◦●○▪·–]\s+(?=\S)/u;
const NUMBERED = /^\s*(?:\p{Nd}{1,2}(?:\.\p{Nd}{1,2})*[.)、．]?\s|[一二三四五六七八九十]{1,3}、|[IVX]+\.\s)/u;
const MARKED_HEADING = /^\s{0,3}#{1,6}\s+\S|^\s*第\s*[\p{Nd}一二三四五六七八九十百零〇]+\s*[章节節条條部分篇]/u;
const UNDERLINE = /^\s*(?:={3,}|-{3,}|\*{3,}|_{3,})\s*$/;
const SENTENCE_END = /[.。!?;:,，、；：…]["'”’」』)）]*\s*$/u;
const HEADING_COLUMNS = 80;
const PARAGRAPH_LINE_COLUMNS = 120;

/** The length of the bullet, and in a list the number, that a sentence begins with; 0 without one. */
export function itemMarkLength(sentence: string, isInList: boolean): number {
  return (isInList ? LIST_ITEM : BULLET).exec(sentence)?.[0].length ?? 0;
}

/** Cuts a normalised text into blocks: at blank lines, and where the kind of line changes. */
export function blocks(text: string): Block[] {
  const found: Block[] = [];
  let run: Line[] = [];
  for (const line of lines(text)) {
    if (line.text.trim() === "") {
      addRun(found, run);
      run = [];
    } else {
      run.push(line);
    }
  }
  addRun(found, run);
  return found;
}

function* lines(text: string): Generator<Line> {
  let start = 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    yield { start, end, text: text.slice(start, end) };
    start = end + 1;
  }
}

/** A run of lines without a blank line between them. */
function addRun(found: Block[], run: Line[]): void {
  const tableRows = run.filter((line) => isTableRow(line.text)).length;
  const isTable = tableRows >= 2 && tableRows * 2 > run.length;
  const firstItem = run.findIndex(isItem);
  let current: Block | undefined;
  for (const [index, line] of run.entries()) {
    const kind = isTable ? "table" : kindOfLine(line, run, index, firstItem);
    const startsBlock =
      !current ||
      kind === "heading" ||
      kind === "question" ||
      kind === "answer" ||
      current.kind === "heading" ||
      (kind === "list" && current.kind === "prose") ||
      (current.kind === "prose" && columns(run[index - 1]!.text) > PARAGRAPH_LINE_COLUMNS);
    if (current && (!startsBlock || UNDERLINE.test(line.text))) {
      current.end = line.end;
      if (current.kind === "heading") current.isMarked = true;
    } else {
      current = {
        start: line.start,
        end: line.end,
        kind,
        isMarked: kind === "heading" && isMarkedHeading(line.text),
      };
      found.push(current);
    }
  }
}

function kindOfLine(line: Line, run: Line[], index: number, firstItem: number): BlockKind {
  if (isQuestion(line.text)) return "question";
  if (isAnswer(line.text)) return "answer";
  const isShort = columns(line.text) <= HEADING_COLUMNS;
  if (isShort && isMarkedHeading(line.text)) return "heading";
  const next = run[index + 1];
  const isUnderlined = next && UNDERLINE.test(next.text) && !UNDERLINE.test(line.text);
  if (index === 0 && isShort && isUnderlined && !SENTENCE_END.test(line.text)) return "heading";
  if (NUMBERED.test(line.text) && isNumberedHeading(line, run, index, firstItem)) return "heading";
  if (LIST_ITEM.test(line.text)) return "list";
  if (run.length === 1 && isShort && (!SENTENCE_END.test(line.text) || asks(line.text))) return "heading";
  if (index === 0 && isShort && asks(line.text) && next && !asks(next.text)) return "heading";
  if (index === 0 && isShort && next && isQuestion(next.text) && !SENTENCE_END.test(line.text)) return "heading";
  return "prose";
}

/** "# Returns", "== Returns ==" or "第一章". */
function isMarkedHeading(line: string): boolean {
  if (MARKED_HEADING.test(line)) return true;
  const mark = line.trim();
  return mark.length >= 4 && mark.startsWith("==") && mark.endsWith("==") && /^\s{0,3}=/u.test(line);
}

/** Cells between tabs or bars; an outer bar alone will do. */
function isTableRow(line: string): boolean {
  const row = line.trim();
  return row.includes("\t") || row.startsWith("|") || row.indexOf("|") !== row.lastIndexOf("|");
}

/** An item of a list, or a line that is set in. */
function isItem(line: Line): boolean {
  return LIST_ITEM.test(line.text) || /^\s/u.test(line.text);
}

/** "1. Returns" or "一、休假": short, no sentence, and neither over nor below a line that is an item of a list. */
function isNumberedHeading(line: Line, run: Line[], index: number, firstItem: number): boolean {
  if (columns(line.text) > HEADING_COLUMNS / 2 || SENTENCE_END.test(line.text)) return false;
  const next = run[index + 1];
  return next ? !isItem(next) && (firstItem < 0 || firstItem >= index) : run.length === 1;
}
