import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { Encoder, EncodingCache, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { makeCorpus } from "../../bench/corpus.ts";
import { weightsForTests } from "../../testkit/weights.ts";
import { addVectors, buildIndex, openIndex, probeIndex, type SourceDocument } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-vectors-"));
after(() => rmSync(folder, { recursive: true }));
let made = 0;

function built(documents: readonly SourceDocument[]): string {
  const path = join(folder, String(made++));
  buildIndex(path, [...documents]);
  return path;
}

const documents = [
  { id: "hours", title: "Hours", text: "The office opens at nine in the morning." },
  { id: "prices", title: "Prices", text: "Parking costs three euros an hour.\n\nBicycles are parked for free." },
  { id: "chinese", title: "時間", text: "辦公室早上九點開門。停車每小時三歐元。" },
];

const weights = await weightsForTests();
const missing = "missing" in weights && weights.missing;

describe("an index with vectors", { skip: missing }, async () => {
  if ("missing" in weights) return;
  const { path: model, sha256: modelSha256 } = weights.files["model.onnx"]!;
  const embedder = embedderNamed("all-minilm-l6-v2-int8");
  const digest = vectorsDigest(embedder, modelSha256);
  const encoder = await Encoder.open(embedder, { model, digest }, { threads: 1 });
  after(() => encoder.close());
  const facts = { name: embedder.name, digest, languages: embedder.languages };
  const embed = (path: string) => addVectors(path, { ...facts, encode: (pieces) => encoder.encodePassage(pieces) });

  it("has them for the passages in the embedder's languages, passes the probe, and is the same file each time", async () => {
    const [path, again] = [built(documents), built(documents)];
    const passages = await embed(path);
    await embed(again);
    const index = openIndex(path);
    assert.deepEqual(index.embedder, { name: embedder.name, digest });
    const english = index.summary().documents.filter(({ language }) => language === "en");
    assert.equal(
      passages,
      english.reduce((sum, { passages }) => sum + passages, 0),
    );
    assert.deepEqual(probeIndex(index, documents).ok, true);
    index.close();
    const digestOf = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
    assert.equal(digestOf(path), digestOf(again));
  });

  it("finds by meaning what shares no word, and never an excluded document", async () => {
    const path = built(documents);
    await embed(path);
    const index = openIndex(path);
    const question = "How much must I pay to leave my car here?";
    assert.deepEqual(index.search(question, 5).passages, []);
    const vectors = await encoder.encodeQuestion(question);
    const found = index.search(question, 5, { vectors }).passages;
    assert.equal(found[0]!.documentId, "prices");
    assert(found[0]!.vectors!.tokens.length > 0 && found[0]!.vectors!.cosine > 0.3);
    assert.equal(
      found[0]!.vectors!.tokens.length,
      found[0]!.vectors!.tokensOfPiece.reduce((sum, count) => sum + count, 0) * embedder.storedDimensions,
    );
    const without = index.search(question, 5, { vectors, exclude: new Set(["prices"]) }).passages;
    assert(without.length > 0 && without.every(({ documentId }) => documentId !== "prices"));
    index.close();
  });

  it("ranks what it finds by meaning by its words too", async () => {
    const places = Array.from(
      { length: 120 },
      (_, at) =>
        `House ${at} has ${"a wall and ".repeat(1 + (at % 7))}a door, ${at % 2 ? "and much grass" : "and a garage for cars"}.`,
    );
    const path = built([
      { id: "places", title: "Places", text: `${places.join("\n\n")}\n\nThe car park is behind it.` },
    ]);
    await embed(path);
    const index = openIndex(path);
    const question = "Which house has a wall and a door, and a park for cars?";
    const vectors = await encoder.encodeQuestion(question);
    const found = index.search(question, 80, { vectors }).passages;
    // With no vectors the same words are ranked by BM25 alone: each passage's is the same.
    const byWords = index.search(question, 80).passages;
    const bm25Of = new Map(byWords.map(({ row, relativeBm25 }) => [row, relativeBm25]));
    const foundByMeaning = found.filter(({ row }) => !byWords.slice(0, 20).some((ranked) => ranked.row === row));
    assert(foundByMeaning.some(({ relativeBm25 }) => relativeBm25 > 0));
    for (const { row, relativeBm25 } of found) assert.equal(relativeBm25, bm25Of.get(row) ?? 0);
    index.close();
  });

  it("stays as it was where encoding fails half-way", async () => {
    const path = built(documents);
    const before = readFileSync(path);
    let left = 1;
    const failing = addVectors(path, {
      ...facts,
      encode(pieces) {
        if (left-- === 0) throw new Error("the model is gone");
        return encoder.encodePassage(pieces);
      },
    });
    await assert.rejects(failing, /the model is gone/);
    assert.deepEqual(readFileSync(path), before);
    assert.equal(statSync(`${path}.vectors`, { throwIfNoEntry: false }), undefined);
  });

  it("costs at most two passages again after an edit of one word", async () => {
    const { text } = makeCorpus(200);
    const cache = new EncodingCache(join(folder, "encodings"), digest, { maxBytes: 1e9, maxAgeMs: 1e9 });
    const encodings = async (text: string) => {
      const path = built([{ id: "places", title: "Places", text }]);
      let encoded = 0;
      const passages = await addVectors(path, {
        ...facts,
        async encode(pieces) {
          const known = cache.get(pieces);
          if (known) return known;
          encoded++;
          // What a passage's vectors are is not the question here: those of its first words cost a tenth.
          const fresh = await encoder.encodePassage(pieces.map((piece) => piece.slice(0, 10)));
          cache.put(pieces, fresh);
          return fresh;
        },
      });
      return { encoded, passages };
    };
    const first = await encodings(text);
    assert(first.passages >= 200 && first.encoded === first.passages, JSON.stringify(first));
    assert.equal((await encodings(text)).encoded, 0);
    const words = [...text.matchAll(/\b[a-z]{4,}\b/g)];
    for (const share of [0, 0.31, 0.66, 0.999]) {
      const { index, 0: word } = words[Math.floor(share * words.length)]!;
      for (const instead of ["extraordinarily", ""]) {
        const edited = text.slice(0, index) + instead + text.slice(index + word.length);
        const { encoded } = await encodings(edited);
        assert(encoded >= 1 && encoded <= 2, `${encoded} passages for "${word}" at ${index}`);
      }
    }
    cache.close();
  });
});

it("a file of format 2, which knows no vectors, is searched by its words", () => {
  const path = built(documents);
  const db = new DatabaseSync(path);
  db.exec("DROP TABLE vectors; DROP TABLE embedder; PRAGMA user_version = 2; VACUUM");
  db.close();
  const index = openIndex(path);
  assert.equal(index.embedder, undefined);
  assert.deepEqual(probeIndex(index, documents).ok, true);
  const question = new Float32Array(384).fill(1);
  const vectors = { embedder: "any", tokens: question, projected: question.subarray(0, 128), mean: question };
  for (const options of [{}, { vectors }]) {
    const { passages } = index.search("What does parking cost?", 5, options);
    assert.equal(passages[0]!.documentId, "prices");
    assert.equal(passages[0]!.vectors, undefined);
  }
  index.close();
});
