import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type EmbedderName, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { manifest } from "@caigun/weights";
import { Embedding } from "./embedding.ts";

const EMBEDDER = "multilingual-e5-small-int8";
const OF_TWO_FILES = "all-minilm-l6-v2-int8";

/** An installation without weights whose hub takes requests and never answers. */
async function waiting(t: TestContext, embedder: EmbedderName = EMBEDDER) {
  const weightsFolder = mkdtempSync(join(tmpdir(), "caigun-embedding-"));
  const asked = Promise.withResolvers<string | undefined>();
  const hub = createServer(({ url }) => asked.resolve(url));
  hub.listen(0, "127.0.0.1");
  await once(hub, "listening");
  const hubUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`;
  const embedding = new Embedding({ embedder, weightsFolder, fetch: { hubUrl }, onUnavailable: assert.fail });
  t.after(async () => {
    await embedding.close();
    hub.closeAllConnections();
    hub.close();
    rmSync(weightsFolder, { recursive: true, force: true });
  });
  return { embedding, weightsFolder, asked: asked.promise };
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

test("each file on the disk encodes by its best graph and by its own, and a file that an index needs is fetched", async (t) => {
  const { embedding, weightsFolder, asked } = await waiting(t, OF_TWO_FILES);
  const [first, second] = manifest[OF_TWO_FILES].files["model.onnx"];
  const put = ({ sha256 }: { sha256: string }) =>
    writeFileSync(join(weightsFolder, OF_TWO_FILES, `${sha256.slice(0, 16)}-model.onnx`), "");
  mkdirSync(join(weightsFolder, OF_TWO_FILES));
  assert.deepEqual(embedding.everyPresent(), []);
  put(first);
  const digests = () => embedding.everyPresent().map(({ digest }) => digest);
  const best = vectorsDigest(embedderNamed(OF_TWO_FILES), first.sha256);
  assert.deepEqual(digests(), [best, first.sha256]);
  embedding.bring("0".repeat(64)); // nobody knows what made these
  embedding.bring(second.sha256);
  assert.match((await asked) ?? "", /all-MiniLM-L6-v2/);
  put(second);
  assert.deepEqual(digests(), [best, first.sha256, second.sha256]);
  assert.equal(embedding.present()?.digest, best);
});
