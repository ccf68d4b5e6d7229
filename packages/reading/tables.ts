/** A table written in Markdown, of a passage's text; UTF-16 offsets. */
export interface Table {
  /** The cells of its head. */
  head: string[];
  /** Of its lines, head and rule among them; end exclusive. */
  start: number;
  end: number;
  /** Where its rows begin: after head and rule. */
  rowsStart: number;
}

interface Line {
  start: number;
  /** Of the line without its end. */
  end: number;
}

/** "|---|:---:|", and without outer bars "--- | ---": what stands below a head. */
const RULE = /^\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?)?$/u;
const BAR = /(?<!\\)\|/u;

/** A row of a table as people read it, or the text between tables as it is. */
export interface TablePart {
  said: string;
  isRow: boolean;
}

/**
 * The parts of a stretch of a passage's text (UTF-16 offsets): each row of a Markdown table as "Double room – Low season:
 * 90 euros; High season: 120 euros", and what stands between. Heads and rules are left out where a row is there, which
 * shows them; a head by itself is a row.
 */
export function tableParts(text: string, start: number, end: number): TablePart[] {
  const tables = tablesOf(text).filter((table) => table.start < end && start < table.end);
  const parts: TablePart[] = [];
  let reached = start;
  for (const table of tables) {
    if (reached < table.start) parts.push({ said: text.slice(reached, table.start), isRow: false });
    const to = Math.min(end, table.end);
    for (const line of linesOf(text, Math.max(start, table.start), to)) {
      const words = text.slice(line.start, line.end);
      if (line.start >= table.rowsStart) parts.push({ said: rowSaid(cellsOf(words), table.head), isRow: true });
      else if (to <= table.rowsStart && !isRule(words)) parts.push({ said: table.head.join(", "), isRow: true });
    }
    reached = to;
  }
  if (reached < end) parts.push({ said: text.slice(reached, end), isRow: false });
  return parts.filter(({ said }) => said.trim() !== "");
}

/** Whether a stretch is nothing but the head of a table, or its rule. */
export function isHeadOf(table: Table, { start, end }: { start: number; end: number }): boolean {
  return table.start <= start && end <= table.rowsStart;
}

function rowSaid(cells: string[], head: string[]): string {
  const [label = "", ...others] = cells;
  const told = others
    .map((cell, at) => (cell === "" ? "" : head[at + 1] ? `${head[at + 1]}: ${cell}` : cell))
    .filter((cell) => cell !== "")
    .join("; ");
  return [label, told].filter((part) => part !== "").join(" – ");
}

/** The tables of a passage's text, in order: lines between bars, the second of which is a rule. */
export function tablesOf(text: string): Table[] {
  if (!text.includes("|")) return [];
  const lines = linesOf(text, 0, text.length);
  const said = lines.map(({ start, end }) => text.slice(start, end));
  const tables: Table[] = [];
  for (let rule = 1; rule < lines.length; rule++) {
    const head = cellsOf(said[rule - 1]!);
    // A rule has as many cells as its head: it is none of a list's or a heading's.
    if (!isRule(said[rule]!) || !BAR.test(said[rule - 1]!) || cellsOf(said[rule]!).length !== head.length) continue;
    let last = rule;
    while (last + 1 < lines.length && BAR.test(said[last + 1]!)) last++;
    tables.push({ head, start: lines[rule - 1]!.start, end: lines[last]!.end, rowsStart: lines[rule]!.end + 1 });
    rule = last;
  }
  return tables;
}

function isRule(line: string): boolean {
  return RULE.test(line.trim());
}

/** What stands between the bars, without the escapes of bars. */
function cellsOf(line: string): string[] {
  const inner = line
    .trim()
    .replace(/^\|/u, "")
    .replace(/(?<!\\)\|$/u, "");
  return inner.split(BAR).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

function linesOf(text: string, start: number, end: number): Line[] {
  const lines: Line[] = [];
  for (let from = start; from < end; ) {
    const newline = text.indexOf("\n", from);
    const to = newline < 0 || newline > end ? end : newline;
    lines.push({ start: from, end: to });
    from = to + 1;
  }
  return lines;
}
