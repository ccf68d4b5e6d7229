import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildIndex, openIndex } from "@caigun/passages";
import { openReader } from "./reader.ts";

test("a slip is put right, but never with what may be a word of a deleted document", async () => {
  const folder = mkdtempSync(join(tmpdir(), "caigun-reader-"));
  try {
    buildIndex(join(folder, "index"), [
      { id: "live", title: "live", text: "The workshop opens at nine." },
      { id: "deleted", title: "deleted", text: "The merger with Northwind is planned for spring." },
    ]);
    const index = openIndex(join(folder, "index"));
    const ask = async (exclude: string[]) => {
      const options = { exclude, encoder: undefined, strictness: "normal" } as const;
      return (await openReader().read(index, "When is the mergre?", options)).question;
    };
    assert.equal(await ask([]), "When is the merger?");
    assert.equal(await ask(["deleted"]), "When is the mergre?");
    index.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
