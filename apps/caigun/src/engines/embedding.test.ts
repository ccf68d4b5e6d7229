import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { manifest } from "@caigun/weights";
import { Embedding } from "./embedding.ts";

const EMBEDDER = "multilingual-e5-small-int8";

/** An installation without weights whose hub takes requests and never answers. */
async function waiting(t: TestContext) {
  const weightsFolder = mkdtempSync(join(tmpdir(), "caigun-embedding-"));
  const hub = createServer();
  hub.listen(0, "127.0.0.1");
  await once(hub, "listening");
  const hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
  const embedding = new Embedding({ embedder: EMBEDDER, weightsFolder, fetch: { hubUrl }, onUnavailable: assert.fail });
  t.after(async () => {
    await embedding.close();
    hub.closeAllConnections();
    hub.close();
    rmSync(weightsFolder, { recursive: true, force: true });
  });
  return { embedding, weightsFolder };
}

test("who waits for the model waits only as long as was said, or until told to stop", async (t) => {
  const { embedding } = await waiting(t);
  assert.equal(await embedding.obtain({ waitMs: 10 }), undefined);
  const controller = new AbortController();
  const stopped = embedding.obtain({ signal: controller.signal });
  controller.abort(new Error("cancelled"));
  await assert.rejects(stopped, /cancelled/);
  await assert.rejects(embedding.obtain({ signal: controller.signal }), /cancelled/);
});

test("files that are gone are not present", async (t) => {
  const { embedding, weightsFolder } = await waiting(t);
  const folder = join(weightsFolder, EMBEDDER);
  mkdirSync(folder);
  const paths = Object.entries(manifest[EMBEDDER].files).map(([file, [{ sha256 }]]) =>
    join(folder, `${sha256.slice(0, 16)}-${file}`),
  );
  for (const path of paths) {
    for (const each of paths) writeFileSync(each, "");
    assert.equal(embedding.present()?.embedder, EMBEDDER);
    rmSync(path);
    assert.equal(embedding.present(), undefined);
  }
});
