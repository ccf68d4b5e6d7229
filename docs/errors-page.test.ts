import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { problems } from "@caigun/contract";
import { errorsPage } from "./errors-page.ts";

test("docs/errors.md is the catalogue: run `node docs/errors-page.ts` where this fails", async () => {
  const page = await readFile(new URL("errors.md", import.meta.url), "utf8");
  assert.equal(page, errorsPage());
  for (const code of Object.keys(problems)) assert.ok(page.includes(`\`${code}\``), code);
});
