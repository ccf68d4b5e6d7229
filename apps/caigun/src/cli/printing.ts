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

/** Columns as wide as their widest cell. */
export function table(rows: string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, at) => Math.max(cell.length, widest[at] ?? 0)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
}
