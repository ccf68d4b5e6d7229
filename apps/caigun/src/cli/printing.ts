/** Prints one JSON object, or the lines meant for a person. */
export function print(json: boolean | undefined, object: unknown, lines: () => string[]): void {
  process.stdout.write(
    json
      ? `${JSON.stringify(object)}\n`
      : lines()
          .map((line) => `${line}\n`)
          .join(""),
  );
}

/** The columns that a text takes on a terminal: East Asian characters take two. */
function width(text: string): number {
  return (
    [...text].length +
    (text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/gu)
      ?.length ?? 0)
  );
}

/** Columns as wide as their widest cell. */
export function table(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(width(cell), widest[at] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell + " ".repeat(widths[at]! - width(cell)))
      .join("  ")
      .trimEnd(),
  );
}
