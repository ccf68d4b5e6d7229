import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { openBase, tokenizerOf } from "@caigun/lora";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { smolLm2 } from "./smollm2.ts";

const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../packages/lora/goldens/${name}`, import.meta.url), "utf8"));

describe("SmolLM2-135M-Instruct", async () => {
  const path = await smolLm2();

  it("has the tensors that transformers reads from the same file, to the bit", async (t) => {
    const tensors: Record<string, string> = golden("smollm2.json").tensors;
    const base = await openBase(path);
    t.after(() => base.close());
    assert.deepEqual([...base.tensors.keys()].sort(), Object.keys(tensors).sort());
    for (const [name, sha256] of Object.entries(tensors)) {
      const { buffer, byteOffset, byteLength } = base.read(name);
      const digest = createHash("sha256")
        .update(new Uint8Array(buffer, byteOffset, byteLength))
        .digest("hex");
      assert.equal(digest, sha256, name);
    }
  });

  it("has the tokens that Hugging Face's tokenizers give", () => {
    const { texts, ids }: { texts: string[]; ids: Record<string, number[][]> } = golden("tokenizer.json");
    const tokenizer = tokenizerOf(path);
    assert.deepEqual([tokenizer.vocabulary, tokenizer.bosId, tokenizer.eosId], [49_152, 1, 2]);
    assert.match(tokenizer.chatTemplate!, /<\|im_start\|>/);
    for (const [index, text] of texts.entries()) {
      assert.deepEqual(tokenizer.encode(text), ids.smollm2![index], JSON.stringify(text));
      assert.deepEqual(tokenizer.encode(text, { control: true }), ids["smollm2-control"]![index], JSON.stringify(text));
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }
  });

  it("has the tokens that llama.cpp gives", async (t) => {
    const { texts }: { texts: string[] } = golden("tokenizer.json");
    const tokenizer = tokenizerOf(path);
    const llama = await getLlama({ build: "never", gpu: false, logLevel: LlamaLogLevel.error });
    t.after(() => llama.dispose());
    const model = await llama.loadModel({ modelPath: path, vocabOnly: true });
    // Its strings end at the first null character.
    for (const text of texts.filter((text) => !text.includes("\0")))
      for (const control of [true, false])
        assert.deepEqual(tokenizer.encode(text, { control }), [...model.tokenize(text, control)], JSON.stringify(text));
  });

  it("is cut into tokens at a speed that no training waits for", () => {
    const tokenizer = tokenizerOf(path);
    const text = readFileSync(new URL("../../docs/reading.md", import.meta.url), "utf8")
      .repeat(20)
      .slice(0, 100_000);
    const startedMs = performance.now();
    assert(tokenizer.encode(text).length > 10_000);
    assert(performance.now() - startedMs < 1_000);
  });
});
