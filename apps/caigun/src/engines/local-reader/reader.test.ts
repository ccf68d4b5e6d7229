import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Encoder, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { addVectors, buildIndex, openIndex } from "@caigun/passages";
import { weightsForTests } from "../../../../../testkit/weights.ts";
import type { EncoderFiles } from "../embedding.ts";
import { openReader } from "./reader.ts";

test("a slip is put right, but never with what may be a word of a deleted document", async () => {
  const folder = mkdtempSync(join(tmpdir(), "caigun-reader-"));
  try {
    buildIndex(join(folder, "index"), [
      { id: "live", title: "live", text: "The workshop opens at nine." },
      { id: "deleted", title: "deleted", text: "The merger with Northwind is planned for spring." },
    ]);
    const index = openIndex(join(folder, "index"));
    const ask = async (exclude: string[]) => {
      const options = { exclude, encoders: [], strictness: "normal" } as const;
      return (await openReader().read(index, "When is the mergre?", options)).question;
    };
    assert.equal(await ask([]), "When is the merger?");
    assert.equal(await ask(["deleted"]), "When is the mergre?");
    index.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a question is encoded by what made the index's vectors, also where something better is there", async (t) => {
  const weights = await weightsForTests();
  if ("missing" in weights) return t.skip(weights.missing);
  const folder = mkdtempSync(join(tmpdir(), "caigun-reader-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const name = "all-minilm-l6-v2-int8";
  const embedder = embedderNamed(name);
  const { path: model, sha256 } = weights.files["model.onnx"]!;
  const path = join(folder, "index");
  buildIndex(path, [{ id: "a", title: "a", text: "Parking costs three euros an hour." }]);
  const encoder = await Encoder.open(embedder, { model, digest: sha256 }, { threads: 1 });
  t.after(() => encoder.close());
  await addVectors(path, {
    name,
    digest: sha256,
    languages: embedder.languages,
    encode: (pieces) => encoder.encodePassage(pieces),
  });
  const index = openIndex(path);
  t.after(() => index.close());
  const by = (digest: string): EncoderFiles => ({ embedder: name, digest, model });
  const ask = (encoders: EncoderFiles[]) =>
    openReader().read(index, "What must I pay to leave my car?", { encoders, strictness: "normal" });
  const found = await ask([by(vectorsDigest(embedder, sha256)), by(sha256)]);
  assert.equal(found.retrieval, "hybrid");
  assert.equal(found.lacksEncoder, undefined);
  const without = await ask([by(vectorsDigest(embedder, sha256))]);
  assert.equal(without.retrieval, "lexical");
  assert.equal(without.lacksEncoder, sha256);
});
