import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { arbitraryText } from "../../../testkit/arbitrary-text.ts";
import { type GgufValue, ggufTypes } from "../base/gguf-header.ts";
import { ggufHead } from "../export/gguf-head.ts";
import { BaseRefused, exportGgufModel, openBase, tokenizerOf } from "../index.ts";

type Goldens = { texts: string[]; ids: Record<string, number[][]> };

/** Made by testkit/goldens/lora_tokenizer.py with Hugging Face's tokenizers. */
const goldens = new URL("../goldens/", import.meta.url);
const { texts, ids } = JSON.parse(readFileSync(new URL("tokenizer.json", goldens), "utf8")) as Goldens;
const tinyFolder = fileURLToPath(new URL("tiny-gpt2", goldens));

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-tokenizer-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const { string, int32, uint32, bool } = ggufTypes;
const definition = JSON.parse(readFileSync(join(tinyFolder, "tokenizer.json"), "utf8")) as {
  model: { vocab: Record<string, number>; merges: [string, string][] };
};
const tokens = Object.keys(definition.model.vocab).sort(
  (one, other) => definition.model.vocab[one]! - definition.model.vocab[other]!,
);
const keys: Record<string, [number, GgufValue]> = {
  "tokenizer.ggml.model": [string, "gpt2"],
  "tokenizer.ggml.pre": [string, "gpt-2"],
  "tokenizer.ggml.tokens": [string, tokens],
  "tokenizer.ggml.token_type": [int32, tokens.map((_, id) => (id === 0 ? 3 : 1))],
  "tokenizer.ggml.merges": [string, definition.model.merges.map((pair) => pair.join(" "))],
  "tokenizer.ggml.bos_token_id": [uint32, 0],
  "tokenizer.ggml.eos_token_id": [uint32, 0],
  "tokenizer.ggml.add_bos_token": [bool, true],
  "tokenizer.chat_template": [string, "{{ messages }}"],
};

/** A GGUF file that has a tokenizer alone. */
async function ggufWith(
  t: TestContext,
  changes: Record<string, [number, GgufValue] | undefined> = {},
): Promise<string> {
  const path = join(await temporaryFolder(t), "tokenizer.gguf");
  const fields = Object.entries({ ...keys, ...changes }).filter((entry) => entry[1] !== undefined);
  const head = ggufHead(new Map(fields.map(([key, field]) => [key, { type: field![0], value: field![1] }])), []);
  await writeFile(path, head.bytes);
  return path;
}

const tiny = tokenizerOf(tinyFolder);

describe("a tokenizer", () => {
  it("from tokenizer.json gives the tokens that Hugging Face's own does", () => {
    assert.equal(tiny.vocabulary, 320);
    assert.deepEqual([tiny.bosId, tiny.eosId, tiny.addsBos, tiny.chatTemplate], [0, 0, false, undefined]);
    for (const [index, text] of texts.entries())
      assert.deepEqual(tiny.encode(text, { control: true }), ids["tiny-gpt2-control"]![index], JSON.stringify(text));
  });

  it("from a GGUF file, and from GPT-2's two files, is the same", async (t) => {
    const folder = await temporaryFolder(t);
    for (const name of ["model.safetensors", "config.json"]) await cp(join(tinyFolder, name), join(folder, name));
    await writeFile(join(folder, "vocab.json"), JSON.stringify(definition.model.vocab));
    const merges = definition.model.merges.map((pair) => pair.join(" "));
    await writeFile(join(folder, "merges.txt"), `#version: 0.2\n${merges.join("\n")}\n`);
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ chat_template: "{{ x }}" }));
    const fromGguf = tokenizerOf(await ggufWith(t));
    const fromTwoFiles = tokenizerOf(folder);
    for (const other of [fromGguf, fromTwoFiles]) {
      for (const text of texts)
        for (const control of [true, false])
          assert.deepEqual(other.encode(text, { control }), tiny.encode(text, { control }), JSON.stringify(text));
      assert.deepEqual([other.vocabulary, other.bosId, other.eosId], [320, 0, 0]);
    }
    assert.deepEqual([fromGguf.addsBos, fromGguf.chatTemplate], [true, "{{ messages }}"]);
    assert.deepEqual([fromTwoFiles.addsBos, fromTwoFiles.chatTemplate], [false, "{{ x }}"]);
  });

  it("is known also where its description is as old as GPT-2's, which does not name its kind", async (t) => {
    const folder = await temporaryFolder(t);
    for (const name of ["model.safetensors", "config.json"]) await cp(join(tinyFolder, name), join(folder, name));
    const model = {
      dropout: null,
      unk_token: "",
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      vocab: definition.model.vocab,
      merges: definition.model.merges.map((pair) => pair.join(" ")),
    };
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...definition, model }));
    const old = tokenizerOf(folder);
    for (const text of texts) assert.deepEqual(old.encode(text), tiny.encode(text));
    const base = await openBase(folder);
    t.after(() => base.close());
    await exportGgufModel(base, join(folder, "model.gguf"));
    const written = tokenizerOf(join(folder, "model.gguf"));
    for (const text of texts) assert.deepEqual(written.encode(text), tiny.encode(text));
  });

  it("takes what only looks like a control token as text, unless it is asked to", () => {
    assert.deepEqual(tiny.encode("<|endoftext|>", { control: true }), [0]);
    assert.equal(tiny.idOf("<|endoftext|>"), 0);
    assert(!tiny.encode("a<|endoftext|>b").includes(0));
    assert.equal(tiny.decode(tiny.encode("a<|endoftext|>b")), "a<|endoftext|>b");
  });

  it("gives any text back", () => {
    fc.assert(
      fc.property(fc.oneof(arbitraryText, fc.string({ unit: "binary" })), (text) => {
        assert.equal(tiny.decode(tiny.encode(text)), text.toWellFormed());
      }),
    );
    assert.throws(() => tiny.decode([5, 320]), RangeError);
    assert.throws(() => tiny.decode([-1]), RangeError);
  });

  it("cuts digits by the rule that the file names", async (t) => {
    const merges = [...(keys["tokenizer.ggml.merges"]![1] as string[]), "1 2", "12 3", "123 4"];
    const more = [...tokens, "12", "123", "1234"];
    const types: [number, GgufValue] = [int32, more.map(() => 1)];
    const lengths = async (pre: string) => {
      const tokenizer = tokenizerOf(
        await ggufWith(t, {
          "tokenizer.ggml.pre": [string, pre],
          "tokenizer.ggml.tokens": [string, more],
          "tokenizer.ggml.token_type": types,
          "tokenizer.ggml.merges": [string, merges],
        }),
      );
      return tokenizer.encode("12341").map((id) => tokenizer.decode([id]).length);
    };
    assert.deepEqual(await lengths("gpt-2"), [4, 1]);
    assert.deepEqual(await lengths("smollm"), [1, 1, 1, 1, 1]);
    assert.deepEqual(await lengths("llama-bpe"), [3, 1, 1]);
  });

  it("is refused where it is of an unknown kind or not whole", async (t) => {
    const cases: [RegExp, Record<string, [number, GgufValue] | undefined>][] = [
      [/of the kind "llama"/, { "tokenizer.ggml.model": [string, "llama"] }],
      [/of the kind "undefined"/, { "tokenizer.ggml.model": undefined }],
      [/by the rule "qwen2"/, { "tokenizer.ggml.pre": [string, "qwen2"] }],
      [/no list tokenizer.ggml.merges/, { "tokenizer.ggml.merges": undefined }],
      [/no list tokenizer.ggml.tokens/, { "tokenizer.ggml.tokens": [uint32, [1, 2]] }],
      [/320 tokens and 1 types/, { "tokenizer.ggml.token_type": [int32, [1]] }],
      [/a merge "a b c"/, { "tokenizer.ggml.merges": [string, ["a b c"]] }],
    ];
    for (const [message, changes] of cases) {
      const path = await ggufWith(t, changes);
      assert.throws(
        () => tokenizerOf(path),
        (error) => error instanceof BaseRefused && message.test(error.message),
      );
    }
    const folder = await temporaryFolder(t);
    for (const name of ["model.safetensors", "config.json"]) await cp(join(tinyFolder, name), join(folder, name));
    assert.throws(() => tokenizerOf(folder), /no vocab.json with merges.txt/);
    for (const json of ["[]", "{}", "nonsense", '{"model":{"type":"BPE","vocab":5,"merges":7}}']) {
      await writeFile(join(folder, "tokenizer.json"), json);
      assert.throws(() => tokenizerOf(folder), BaseRefused, json);
    }
    const { model } = definition;
    const withVocab = (token: string, id: unknown) => ({ model: { ...model, vocab: { ...model.vocab, [token]: id } } });
    const descriptions: [RegExp, object][] = [
      [/the id 4000000000, no whole number/, withVocab("zz", 4e9)],
      [/the id -1, no whole number/, withVocab("zz", -1)],
      [/without a name or an id/, { added_tokens: [{ id: 5, content: "", special: true }] }],
      [/without a name or an id/, { added_tokens: [null] }],
      [/no list/, { added_tokens: {} }],
      [/\(BPE\)/, { model: { type: "Unigram", vocab: [] } }],
      [
        /Invalid regular expression/,
        { pre_tokenizer: { type: "Split", pattern: { Regex: "((" }, behavior: "Isolated" } },
      ],
    ];
    for (const [message, changes] of descriptions) {
      await writeFile(join(folder, "tokenizer.json"), JSON.stringify({ ...definition, ...changes }));
      assert.throws(
        () => tokenizerOf(folder),
        (error) => error instanceof BaseRefused && message.test(error.message),
      );
    }
  });
});
