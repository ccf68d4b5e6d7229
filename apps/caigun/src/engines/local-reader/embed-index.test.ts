import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EncodingCache } from "@caigun/embedding";
import { buildIndex } from "@caigun/passages";
import { embedIndex } from "./embed-index.ts";

test("where the model can't be opened the index stays as it was, says why, and the cache is pruned", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "caigun-embed-index-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const index = join(folder, "index.sqlite");
  buildIndex(index, [{ id: "a", title: "Prices", text: "Parking costs three euros a day." }]);
  const before = readFileSync(index);
  const cachePath = join(folder, "encodings.sqlite");
  const limits = { maxBytes: 0, maxAgeMs: 1_000 };
  const open = () => new EncodingCache(cachePath, "0", limits);
  const cache = open();
  cache.put(["old"], { tokens: Int8Array.of(1), tokensOfPiece: [1], mean: Int8Array.of(1), meanScale: 1 });
  cache.close();

  const model = join(folder, "nothing.onnx");
  const encoder = { embedder: "all-minilm-l6-v2-int8", digest: "0", model } as const;
  const request = { index, encoder, threads: 1, cache: { path: cachePath, limits }, until: Date.now() + 60_000 };
  const reply = await embedIndex({ do: "embed", ...request }, () => {});
  assert.equal(reply.embedded, 0);
  assert.match(reply.because ?? "", /nothing\.onnx can't be used: /);
  assert.deepEqual(readFileSync(index), before);
  const after = open();
  assert.equal(after.get(["old"]), undefined);
  after.close();
});
