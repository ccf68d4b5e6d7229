import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { speedPage } from "./speed-page.ts";

test("docs/speed.md tells the newest results: run `node docs/speed-page.ts` where this fails", async () => {
  assert.equal(await readFile(new URL("speed.md", import.meta.url), "utf8"), speedPage());
});
