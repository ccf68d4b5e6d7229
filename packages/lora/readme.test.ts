import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { folderFor } from "../../testkit/lora-training.ts";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

it("the README's example trains an adapter", async (t) => {
  const readme = await readFile(here("README.md"), "utf8");
  const [, example] = /```ts\n(.*?)```/s.exec(readme)!;
  const folder = await folderFor(t);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module-typescript", "--eval", example!, here("goldens/tiny-llama"), here("README.md"), folder],
    { cwd: here(".") },
  );
  const [, before, after] = /held-out loss (\d+\.\d+), then (\d+\.\d+)/.exec(stdout)!;
  assert(Number(after) < Number(before), `${before}, then ${after}`);
  assert.match(stdout, /^step 20 of 20/m);
  assert((await stat(`${folder}/adapter.gguf`)).size > 1_000);
});
