import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { weightsForTests } from "../../testkit/weights.ts";
import { graphOf } from "./embedders.ts";
import { Encoder, embedderNamed, vectorsDigest } from "./index.ts";

const embedder = embedderNamed("all-minilm-l6-v2-int8");
const LEAST_COSINE = 0.95;
const json = async (url: URL) => JSON.parse(await readFile(url, "utf8"));
/** Made by testkit/goldens/embedding.py, with the versions that stand in it. */
const { goldens, model_sha256 }: Goldens = await json(new URL(`./goldens/${embedder.name}.json`, import.meta.url));
type Goldens = {
  model_sha256: string;
  /** `tokens`: the first numbers of each token's vector. Both vectors only where the text fits into one window. */
  goldens: { text: string; ids: number[]; mean?: number[]; tokens?: number[][] }[];
};

describe("tokens", () => {
  it("are those of Python's tokenizers", async () => {
    const tokenizer = new Tokenizer(await json(embedder.tokenizer!), {});
    for (const { text, ids } of goldens) assert.deepEqual([...tokenizer.encode(text).ids], ids, JSON.stringify(text));
  });
});

describe("a graph beside the model's file", () => {
  const graph = embedder.graph!;

  it("is the one that its digest names, and is used with one file alone", async () => {
    assert.equal(
      createHash("sha256")
        .update(await readFile(graph.file))
        .digest("hex"),
      graph.sha256,
    );
    const digest = vectorsDigest(embedder, graph.modelSha256);
    assert.notEqual(digest, graph.modelSha256, "what the graph in the file made is not the same");
    assert.equal(graphOf(embedder, digest), graph);
    assert.equal(graphOf(embedder, graph.modelSha256), undefined);
    const ofAnotherFile = "0".repeat(64);
    assert.equal(vectorsDigest(embedder, ofAnotherFile), ofAnotherFile);
    assert.equal(graphOf(embedder, ofAnotherFile), undefined);
  });

  it("multiplies the largest integers exactly on every processor", async () => {
    // See all-minilm-l6-v2/fast_graph.py: numbers of one sign, as large as they can be, times -128 and 127.
    const session = await InferenceSession.create(await readFile(new URL("./goldens/limits.onnx", import.meta.url)));
    const inputs = 64;
    const values = [10, -10, 1e6];
    const x = new Tensor(
      "float32",
      Float32Array.from({ length: values.length * inputs }, (_, at) => values[Math.floor(at / inputs)]!),
      [values.length, inputs],
    );
    const { product, product_after_gelu } = await session.run({ x });
    for (const [row, value] of values.entries()) {
      assertProducts(product!, row, inputs * value);
      // GELU's numbers are never below -0.17.
      if (value > 0) assertProducts(product_after_gelu!, row, inputs * value);
    }
    await session.release();
  });
});

const weights = await weightsForTests();
const missing = "missing" in weights && weights.missing;

describe("vectors", { skip: missing }, () => {
  let encoder: Encoder;
  let ofOwnGraph: Encoder;
  before(async () => {
    const { path: model, sha256: modelSha256 } = (weights as Exclude<typeof weights, { missing: string }>).files[
      "model.onnx"
    ]!;
    assert.equal(modelSha256, model_sha256, "the goldens are of another conversion of the model");
    const open = (digest: string) => Encoder.open(embedder, { model, digest }, { threads: 1 });
    encoder = await open(vectorsDigest(embedder, modelSha256));
    ofOwnGraph = await open(modelSha256);
  });
  after(async () => {
    await encoder?.close();
    await ofOwnGraph?.close();
  });

  it("by the graph in the model's file are those of Python's onnxruntime", async () => {
    let compared = 0;
    for (const { text, mean, tokens } of goldens) {
      if (!mean || !tokens) continue;
      const question = await ofOwnGraph.encodeQuestion(text);
      assertClose(question.mean, mean, text);
      tokens.forEach((numbers, row) => {
        assertClose(question.tokens.subarray(row * embedder.dimensions).subarray(0, numbers.length), numbers, text);
      });
      assert.equal(question.tokens.length, tokens.length * embedder.dimensions);
      compared++;
    }
    assert(compared > 10);
  });

  it("by the graph beside it point where those do, as far as 7 bits can tell", async () => {
    for (const { text, mean } of goldens) {
      if (!mean) continue;
      const [found, expected] = [await encoder.encodeQuestion(text), await ofOwnGraph.encodeQuestion(text)];
      const cosines = rowCosines(found.tokens, expected.tokens);
      const least = Math.min(rowCosines(found.mean, expected.mean)[0]!, ...cosines);
      assert(least > LEAST_COSINE, `a vector of ${JSON.stringify(text)} is at ${least}`);
    }
  });

  it("of a text are the same bytes whatever was encoded before", async () => {
    const [first, ...others] = goldens.filter(({ mean }) => mean).map(({ text }) => text);
    const alone = await encoder.encodePassage(["", first!]);
    for (const other of others) {
      await encoder.encodePassage([other]);
      assert.deepEqual(await encoder.encodePassage(["", first!]), alone);
    }
  });

  it("of any text are as many as it has tokens, and of length 1", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitraryText, { maxLength: 4 }), async (pieces) => {
        const { tokens, tokensOfPiece, mean, meanScale } = await encoder.encodePassage(pieces);
        assert.equal(tokensOfPiece.length, pieces.length);
        assert.equal(tokens.length, tokensOfPiece.reduce((sum, count) => sum + count, 0) * embedder.storedDimensions);
        for (let at = 0; at < tokens.length; at += embedder.storedDimensions)
          assertLength1(tokens.subarray(at, at + embedder.storedDimensions), 1 / 127);
        assertLength1(mean, meanScale / 127);
      }),
      { numRuns: 20 },
    );
  });

  it("go on in a second window where a passage is longer than the model reads, and a question ends there", async () => {
    const sentence = "Borrowed books must be returned within three weeks. ";
    const [long, short] = [sentence.repeat(90), sentence.repeat(2)];
    const perRun = embedder.maxTokens - 2;
    const passage = await encoder.encodePassage([long]);
    const count = passage.tokensOfPiece[0]!;
    assert(count > perRun && count < 2 * perRun);
    assert.equal(passage.tokens.length, count * embedder.storedDimensions);
    // What stands in the second window is encoded as if it stood alone.
    const [inPieces] = await Promise.all([encoder.encodePassage([long, short])]);
    assert.equal(inPieces!.tokensOfPiece[1], (await encoder.encodePassage([short])).tokensOfPiece[0]);
    assert.deepEqual(
      inPieces!.tokens.subarray(0, perRun * embedder.storedDimensions),
      passage.tokens.subarray(0, perRun * embedder.storedDimensions),
    );
    const question = await encoder.encodeQuestion(long);
    assert.equal(question.tokens.length, perRun * embedder.dimensions);
  });
});

/** fp32 sums that are taken in another order differ in their last digits. */
function assertClose(found: Float32Array, expected: readonly number[], text: string): void {
  const furthest = expected.reduce((most, value, at) => Math.max(most, Math.abs(value - found[at]!)), 0);
  assert(furthest < 2e-4, `${JSON.stringify(text)} is ${furthest} away`);
}

/** The first half of the columns has weights of -128, the rest of 127. */
function assertProducts({ data, dims }: Tensor, row: number, sum: number): void {
  const width = dims[1]!;
  for (let column = 0; column < width; column++) {
    const found = Number(data[row * width + column]!);
    const exact = sum * (column < width / 2 ? -128 : 127);
    assert(Math.abs(found / exact - 1) < 1e-6, `${found} instead of ${exact}`);
  }
}

/** Of rows of length 1 with those of the same place. */
function rowCosines(one: Float32Array, other: Float32Array): number[] {
  const cosines = new Array<number>(one.length / embedder.dimensions).fill(0);
  for (let at = 0; at < one.length; at++) cosines[Math.floor(at / embedder.dimensions)]! += one[at]! * other[at]!;
  return cosines;
}

function assertLength1(vector: Int8Array, scale: number): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + (value * scale) ** 2, 0));
  assert(Math.abs(length - 1) < 0.05, `the length is ${length}`);
}
