import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, realpathSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const project = realpathSync(fileURLToPath(new URL("../../..", import.meta.url)));
const git = (...words: string[]) => spawnSync("git", words, { cwd: project, encoding: "utf8" });
// In a folder of another checkout git would pass over the files that a patch names.
const isCheckout = git("rev-parse", "--show-toplevel").stdout?.trim() === project;

test("each bug can still be put into the product", { skip: !isCheckout && "no git checkout" }, () => {
  const patches = globSync("testkit/faults/seeded-bugs/*.patch", { cwd: project });
  assert.ok(patches.length > 0);
  for (const patch of patches) {
    const { status, stderr } = git("apply", "--check", "--unidiff-zero", patch);
    assert.equal(status, 0, `Make ${patch} anew for the code as it is now: ${stderr}`);
  }
});
