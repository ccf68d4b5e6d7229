import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tablesOf } from "@caigun/text";
import fc from "fast-check";
import { isHeadOf, tableParts } from "./tables.ts";

const TABLE = `| Room | Low season | High season |
|:-----|:----------:|-----------:|
| Single room | 60 euros | 80 euros |
| Suite | | 210 euros |`;

const partsOf = (text: string) => tableParts(text, 0, text.length);
const rowsOf = (text: string) => partsOf(text).map(({ said }) => said);

describe("the rows of a Markdown table", () => {
  it("are told with their head, without what has no words", () => {
    assert.deepEqual(rowsOf(TABLE), [
      "Single room – Low season: 60 euros; High season: 80 euros",
      "Suite – High season: 210 euros",
    ]);
  });

  it("are told so one by one, and a head by itself as what it names", () => {
    const row = TABLE.indexOf("| Suite");
    assert.deepEqual(tableParts(TABLE, row, TABLE.length), [{ said: "Suite – High season: 210 euros", isRow: true }]);
    const head = TABLE.indexOf("\n");
    assert.deepEqual(tableParts(TABLE, 0, head), [{ said: "Room, Low season, High season", isRow: true }]);
    const [table] = tablesOf(TABLE);
    assert.equal(isHeadOf(table!, { start: 0, end: head }), true);
    assert.equal(isHeadOf(table!, { start: row, end: TABLE.length }), false);
  });

  it("need no outer bars, may hold a bar, and may have cells that the head does not name", () => {
    assert.deepEqual(rowsOf("Key | Does\n--- | ---\nCtrl \\| X | cuts | at once"), ["Ctrl | X – Does: cuts; at once"]);
  });

  it("tell of a row that is held in part its label and those of its cells", () => {
    const from = TABLE.indexOf("80 euros");
    assert.deepEqual(tableParts(TABLE, from, from + 8), [{ said: "Single room – High season: 80 euros", isRow: true }]);
  });

  it("may have no head: values of a single column are no names", () => {
    const contact = "| Phone | 0316 1234 |\n|---|---|\n| Mail | inn@example.org |";
    assert.deepEqual(rowsOf(contact), ["Phone – 0316 1234", "Mail – inn@example.org"]);
    assert.equal(isHeadOf(tablesOf(contact)[0]!, { start: 0, end: contact.indexOf("\n") }), false);
  });

  it("end where a line begins otherwise than the head does, and are none in code", () => {
    const prose = "All prices hold for children up to six years | and for dogs.";
    assert.deepEqual(partsOf(`${TABLE}\n${prose}`).at(-1), { said: `\n${prose}`, isRow: false });
    const code = "```\nps aux | sort\n--- | ---\ngrep node | wc\n```";
    assert.deepEqual(partsOf(code), [{ said: code, isRow: false }]);
  });

  it("are found between other text, which stays as it is", () => {
    const text = `Our rooms,\nof which there are two:\n${TABLE}\nAll with\nbreakfast.`;
    assert.deepEqual(
      partsOf(text).map(({ isRow }) => isRow),
      [false, true, true, false],
    );
    assert.equal(partsOf(text)[0]!.said, "Our rooms,\nof which there are two:\n");
    assert.equal(partsOf(text).at(-1)!.said, "\nAll with\nbreakfast.");
  });

  it("are none without a rule as wide as their head", () => {
    for (const text of [
      "a | b\nc | d",
      "Title\n---",
      "a | b | c\n---|---\nd | e | f",
      "- one\n- two",
      "",
      "|",
      "|---|",
    ])
      assert.deepEqual(partsOf(text), text === "" ? [] : [{ said: text, isRow: false }]);
  });

  it("lose no word but their heads', whatever the text is", () => {
    const line = fc.oneof(
      fc.constantFrom("| a | b |", "|---|---|", "--- | ---", "x | y", "words", "", "|", "\\|"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        const said = rowsOf(lines.join("\n"));
        // What stands over a rule may be a head, whose names are said where a cell has them.
        const kept = lines
          .join("\n")
          .split("\n")
          .filter((_, at, all) => !/^[\s|:]*-[\s|:-]*$/u.test(all[at + 1] ?? ""));
        for (const word of kept.join("\n").match(/[a-z0-9]+/giu) ?? [])
          assert(
            said.some((part) => part.includes(word)),
            word,
          );
      }),
    );
  });

  it("tell a cell by the name of its own column, wherever a stretch begins and ends", () => {
    const word = fc.stringMatching(/^[a-z]{1,6}[.!?;]?( [a-z]{1,6}\.?)?$/u);
    const row = fc.array(word, { minLength: 3, maxLength: 3 });
    const table = fc.record({ cells: fc.array(row, { minLength: 1, maxLength: 5 }), from: fc.nat(), to: fc.nat() });
    fc.assert(
      fc.property(table, ({ cells, from, to }) => {
        const rows = cells.map((row, at) => row.map((cell, column) => `${cell} ${at}x${column}`));
        const text = [["H0", "H1", "H2"], ["---", "---", "---"], ...rows]
          .map((row) => `| ${row.join(" | ")} |`)
          .join("\n");
        const [start, end] = [from % text.length, to % text.length].sort((a, b) => a - b) as [number, number];
        for (const { said } of tableParts(text, start, end + 1))
          for (const [, name, at, column] of said.matchAll(/H(\d): [^;–]*? (\d+)x(\d)/gu)) {
            assert.equal(name, column);
            assert(said.startsWith(rows[Number(at)]![0]!), said);
          }
      }),
    );
  });
});
