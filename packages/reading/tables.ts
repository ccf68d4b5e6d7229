import { type Cell, cellsOf, type Table, tablesOf } from "@caigun/text";

/** A row of a table as people read it, or the text between tables as it is. */
export interface TablePart {
  said: string;
  isRow: boolean;
}

/**
 * The parts of a stretch of a passage's text (UTF-16 offsets): each row of a Markdown table as "Double room – Low season:
 * 90 euros; High season: 120 euros", and what stands between. Heads and rules are left out where a row is there, which
 * shows them; a head by itself is a row. Of a row that the stretch holds in part, its label and those of its cells.
 */
export function tableParts(text: string, start: number, end: number): TablePart[] {
  const parts: TablePart[] = [];
  let reached = start;
  for (const table of tablesOf(text)) {
    if (table.end <= start || end <= table.start) continue;
    if (reached < table.start) parts.push({ said: text.slice(reached, table.start), isRow: false });
    const rows = table.rows.filter((row) => row.start < end && start < row.end);
    for (const row of rows) {
      const within = (cell: Cell) => cell.start < end && start < cell.end;
      parts.push({ said: rowSaid(cellsOf(text, row), table.head, within), isRow: true });
    }
    if (rows.length === 0 && start < headEnd(table)) parts.push({ said: table.head.join(", "), isRow: true });
    reached = Math.min(end, table.end);
  }
  if (reached < end) parts.push({ said: text.slice(reached, end), isRow: false });
  return parts.filter(({ said }) => said.trim() !== "");
}

/** Whether a stretch is nothing but the head of a table, or its rule. */
export function isHeadOf(table: Table, { start, end }: { start: number; end: number }): boolean {
  return table.start <= start && end <= headEnd(table);
}

/** Where the first row begins that is no head. */
const headEnd = ({ rows, end }: Table) => rows[0]?.start ?? end;

function rowSaid([label, ...others]: Cell[], head: string[], isTold: (cell: Cell) => boolean): string {
  const told = others
    .map((cell, at) => ({ cell, name: head[at + 1] }))
    .filter(({ cell }) => cell.text !== "" && isTold(cell))
    .map(({ cell, name }) => (name ? `${name}: ${cell.text}` : cell.text))
    .join("; ");
  return [label?.text ?? "", told].filter((part) => part !== "").join(" – ");
}
