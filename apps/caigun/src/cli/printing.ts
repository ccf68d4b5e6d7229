/** What a terminal obeys instead of showing it, but for line ends and tabs: control characters, and what turns the direction of a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu;

/** Prints one JSON object, or the lines meant for a person, who may read there what a stranger has written. */
export function print(json: boolean | undefined, object: unknown, lines: () => string[]): void {
  process.stdout.write(
    json
      ? `${JSON.stringify(object)}\n`
      : lines()
          .map((line) => `${line.replace(OBEYED, "\ufffd")}\n`)
          .join(""),
  );
}

/** A sentence of the server's for people who type commands: what it says of the API's field is an option here. */
export function inThisProgram(sentence: string): string {
  return sentence.replace(/model_name "(\w+)"/g, "$& (`--model $1`)");
}

/** The columns that a text takes on a terminal: East Asian characters take two. */
function width(text: string): number {
  return (
    [...text].length +
    (text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]/gu)
      ?.length ?? 0)
  );
}

/** Columns as wide as their widest cell, each row on a line. */
export function table(cells: string[][]): string[] {
  const rows = cells.map((row) => row.map((cell) => cell.replace(/\s+/gu, " ")));
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
