import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { Tokenizer } from "@huggingface/tokenizers";
import fc from "fast-check";
import { arbitraryText } from "../../testkit/arbitrary-text.ts";
import { weightsForTests } from "../../testkit/weights.ts";
import { Encoder, embedderNamed } from "./index.ts";

const embedder = embedderNamed("all-minilm-l6-v2-int8");
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

const weights = await weightsForTests();
const missing = "missing" in weights && weights.missing;

describe("vectors", { skip: missing }, () => {
  let encoder: Encoder;
  before(async () => {
    const { files } = weights as Exclude<typeof weights, { missing: string }>;
    assert.equal(files["model.onnx"]!.sha256, model_sha256, "the goldens are of another conversion of the model");
    encoder = await Encoder.open(embedder, { model: files["model.onnx"]!.path }, { threads: 1 });
  });
  after(() => encoder?.close());

  it("are those of Python's onnxruntime", async () => {
    let compared = 0;
    for (const { text, mean, tokens } of goldens) {
      if (!mean || !tokens) continue;
      const question = await encoder.encodeQuestion(text);
      assertClose(question.mean, mean, text);
      tokens.forEach((numbers, row) => {
        assertClose(question.tokens.subarray(row * embedder.dimensions).subarray(0, numbers.length), numbers, text);
      });
      assert.equal(question.tokens.length, tokens.length * embedder.dimensions);
      compared++;
    }
    assert(compared > 10);
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

function assertLength1(vector: Int8Array, scale: number): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + (value * scale) ** 2, 0));
  assert(Math.abs(length - 1) < 0.05, `the length is ${length}`);
}
