import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isHeadOf, tableParts, tablesOf } from "./tables.ts";

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
});
