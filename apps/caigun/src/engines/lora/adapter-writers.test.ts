import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { exportGgufAdapter, openBase } from "@caigun/lora";
import { randomAdapter } from "../../../../../testkit/lora-adapters.ts";
import { LOCAL } from "../writers/open-writers.ts";
import { type AdapterFile, AdapterWriters } from "./adapter-writers.ts";

const grounds = { question: "When does it open?", passages: ["The office opens at nine."] };

test("a chatbot whose base is gone keeps no other from being written for, and what was left of a base is removed", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "caigun-adapter-writers-"));
  const path = fileURLToPath(new URL("../../../../../packages/lora/goldens/tiny-gpt2", import.meta.url));
  const base = await openBase(path);
  const adapter = join(folder, "adapter.gguf");
  await exportGgufAdapter(randomAdapter(base, { r: 2, alpha: 4, seed: 1 }), adapter);
  base.close();
  const options = { choice: { path }, weightsFolder: join(folder, "weights"), fetch: {}, strict: false };
  // Two processes wrote a base for llama.cpp: one was killed yesterday, one may be at it.
  const made = join(options.weightsFolder, "gguf");
  await mkdir(made, { recursive: true });
  for (const [name, hours] of [
    ["left.part", 24],
    ["growing.part", 0],
  ] as const) {
    await writeFile(join(made, name), "");
    const then = Date.now() / 1_000 - 3_600 * hours;
    await utimes(join(made, name), then, then);
  }
  const writers = new AdapterWriters(options, LOCAL, { temperature: 0.7, topP: 0.9 });
  t.after(async () => {
    await writers.close();
    await rm(folder, { recursive: true });
  });
  const outcome = async (file: AdapterFile): Promise<string> => {
    const { signal } = new AbortController();
    const promptWithin = () => ({ system: "", user: "" });
    try {
      for await (const _piece of writers.writerFor(file).write({ promptWithin, grounds, signal }));
      return "written";
    } catch (error) {
      return (error as { reason: string }).reason;
    }
  };
  const gone = () => Promise.reject(new Error("no such file"));
  for (let question = 0; question < 6; question++)
    assert.equal(await outcome({ path: gone, baseDigest: base.digest }), "refused");
  for (let question = 0; question < 6; question++)
    assert.equal(await outcome({ path: async () => adapter, baseDigest: "0".repeat(64) }), "refused");
  assert.match(await outcome({ path: async () => adapter, baseDigest: base.digest }), /^(written|unfinished)$/);
  assert.deepEqual((await readdir(made)).sort(), [`${base.digest.slice(0, 16)}.gguf`, "growing.part"].sort());
});
