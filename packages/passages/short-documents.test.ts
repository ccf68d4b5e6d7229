import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildIndex } from "./index.ts";

test("a few words beside a long text are in its language, where the script does not say another", () => {
  const folder = mkdtempSync(join(tmpdir(), "caigun-short-"));
  try {
    const long = "The workshop repairs bicycles of every make and rents out city bicycles to visitors. ".repeat(8);
    const texts = [long, "Q: Are gloves available?\nA: Winter gloves cost 19 euros a pair.", "包廂低消三千元。"];
    const documents = texts.map((text, number) => ({ id: `${number}`, title: "title", text }));
    const languages = (these: typeof documents, name: string) =>
      buildIndex(join(folder, name), these).documents.map(({ language }) => language);
    assert.deepEqual(languages(documents, "all"), ["en", "en", "zh"]);
    assert.notDeepEqual(languages(documents.slice(1, 2), "alone"), ["en"], "by itself it is taken for another");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
