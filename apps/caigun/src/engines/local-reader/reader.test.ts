import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
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
  const made = await embeddedIndex(t, ["Parking costs three euros an hour."]);
  if ("missing" in made) return t.skip(made.missing);
  const { index, files } = made;
  const { digest: sha256 } = files;
  const embedder = embedderNamed(files.embedder);
  const by = (digest: string): EncoderFiles => ({ ...files, digest });
  const ask = (encoders: EncoderFiles[]) =>
    openReader().read(index, "What must I pay to leave my car?", { encoders, strictness: "normal" });
  const found = await ask([by(vectorsDigest(embedder, sha256)), by(sha256)]);
  assert.equal(found.retrieval, "hybrid");
  assert.equal(found.lacksEncoder, undefined);
  const without = await ask([by(vectorsDigest(embedder, sha256))]);
  assert.equal(without.retrieval, "lexical");
  assert.equal(without.lacksEncoder, sha256);
});

test("of texts in two languages the one that the model does not know is searched by its words", async (t) => {
  const texts = [
    "The bicycle works opens at nine in the morning. We rent city bikes and cargo bikes by the day.\n\n" +
      "A city bike costs eleven pounds a day, and a helmet is included. Repairs take three days as a rule.",
    "La tienda de bicicletas abre a las nueve de la mañana durante la semana y a las diez los sábados. El alquiler de " +
      "una bicicleta de carga cuesta treinta euros al día, y el casco está incluido en el precio del alquiler. Las " +
      "reparaciones tardan tres días. El taller se encuentra detrás del viejo molino, junto al río, y tiene aparcamiento " +
      "gratuito para los clientes. Los perros pueden entrar en la tienda si van atados con una correa corta.",
    "Q: Вы продаёте подарочные карты?\nA: Да, их можно купить на кассе.",
  ];
  const made = await embeddedIndex(t, texts);
  if ("missing" in made) return t.skip(made.missing);
  const { index, files, embedded } = made;
  assert.equal(embedded, 1);
  const reader = openReader();
  for (const [question, answer, retrieval] of [
    ["What must I pay for a city bike?", /eleven pounds/, "hybrid"],
    ["¿Cuánto cuesta el alquiler de una bicicleta de carga?", /treinta euros/, "lexical"],
    ["Можно ли у вас купить подарочные карты?", /на кассе/, "lexical"],
  ] as const) {
    const read = await reader.read(index, question, { encoders: [files], strictness: "normal" });
    assert.deepEqual([read.answered, read.retrieval], [true, retrieval], question);
    assert.match(read.text, answer);
  }
});

/** An open index of texts, with vectors where the model knows their language; `embedded`: of how many passages. */
async function embeddedIndex(t: TestContext, texts: readonly string[]) {
  const weights = await weightsForTests();
  if ("missing" in weights) return weights;
  const name = "all-minilm-l6-v2-int8";
  const { languages } = embedderNamed(name);
  const { path: model, sha256: digest } = weights.files["model.onnx"]!;
  const folder = mkdtempSync(join(tmpdir(), "caigun-reader-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "index");
  buildIndex(
    path,
    texts.map((text, number) => ({ id: String(number), title: "", text })),
  );
  const encoder = await Encoder.open(embedderNamed(name), { model, digest }, { threads: 1 });
  t.after(() => encoder.close());
  const encode = (pieces: readonly string[]) => encoder.encodePassage(pieces);
  const embedded = await addVectors(path, { name, digest, languages, encode });
  const index = openIndex(path);
  t.after(() => index.close());
  return { index, embedded, files: { embedder: name, digest, model } satisfies EncoderFiles };
}
