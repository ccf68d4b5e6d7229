import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("a logged error has its type, message, code and stack, and nothing of the row that a driver hangs onto it", () => {
  const program = `
    const { openLog } = await import(${JSON.stringify(new URL("./log.ts", import.meta.url).href)});
    const facts = { code: "23514", detail: "Failing row contains (a title)", where: "a title", parameters: ["a title"] };
    openLog({ logLevel: "info" }).error({ err: Object.assign(new TypeError("refused"), facts) }, "failed");`;
  const { stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  const { err } = JSON.parse(stderr);
  assert.deepEqual(Object.keys(err).sort(), ["code", "message", "stack", "type"]);
  assert.deepEqual([err.type, err.message, err.code], ["TypeError", "refused", "23514"]);
  assert(!stderr.includes("a title"));
});
