import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { groundedPrompt } from "../../../apps/caigun/src/engines/lora/prompt.ts";
import { adaptedSmallModel, randomAdapter, smallModels } from "../../../testkit/lora-adapters.ts";
import { readGgufHeader } from "../base/gguf-header.ts";
import { RandomAccessFile } from "../base/random-access-file.ts";
import {
  type Adapter,
  type AdapterFacts,
  BaseRefused,
  exportGgufAdapter,
  exportGgufModel,
  exportPeft,
  type OpenedBase,
  openBase,
  readGgufAdapter,
  tokenizerOf,
} from "../index.ts";

const facts: AdapterFacts = {
  title: "Handbook | <img src=x> [a](http://b)",
  base: { name: "openai-community/gpt2", licence: "MIT", quantisation: "F32", because: "gpt2 was\nnot there." },
  dataDigest: "ab".repeat(32),
  settings: { steps: 3, "learning rate": 2e-4 },
  curve: [{ step: 1, loss: 3.25, heldOutLoss: 3.5 }, { step: 2 }],
};

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-export-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function opened(t: TestContext, path: string): Promise<OpenedBase> {
  const base = await openBase(path);
  t.after(() => base.close());
  return base;
}

/** Names, shapes and numbers of a safetensors file in F32. */
async function safetensors(path: string): Promise<Record<string, { shape: number[]; values: string }>> {
  const bytes = await readFile(path);
  const begin = 8 + Number(bytes.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(bytes.toString("utf8", 8, begin));
  return Object.fromEntries(
    Object.entries(header as Record<string, { shape: number[]; data_offsets: [number, number] }>).map(
      ([
        name,
        {
          shape,
          data_offsets: [from, to],
        },
      ]) => [name, { shape, values: bytes.toString("hex", begin + from, begin + to) }],
    ),
  );
}

/** W + (alpha / r) B A, one number at a time. */
function mergedByHand(base: OpenedBase, { r, alpha, targets }: Adapter, name: string): Float32Array {
  const weight = base.read(name);
  const target = targets.find((candidate) => candidate.name === name);
  if (!target) return weight;
  const into = base.tensors.get(name)!.shape[1]!;
  return weight.map((value, at) => {
    const [row, column] = [Math.floor(at / into), at % into];
    let change = 0;
    for (let rank = 0; rank < r; rank++) change += target.b[row * r + rank]! * target.a[rank * into + column]!;
    return value + (alpha / r) * change;
  });
}

function assertClose(found: Float32Array, expected: Float32Array, tolerance: number, what: string): void {
  assert.equal(found.length, expected.length);
  for (const [at, value] of found.entries())
    assert(Math.abs(value - expected[at]!) <= tolerance * Math.max(1, Math.abs(expected[at]!)), `${what} ${at}`);
}

for (const name of smallModels)
  describe(`an adapter of ${name}`, () => {
    it("is written as PEFT writes it itself", async (t) => {
      const { base, adapter, golden } = await adaptedSmallModel(name);
      t.after(() => base.close());
      const folder = join(await temporaryFolder(t), "adapter");
      await exportPeft(adapter, folder, facts);
      assert.deepEqual(await safetensors(join(folder, "adapter_model.safetensors")), golden.tensors);
      const config = JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"));
      for (const [key, value] of Object.entries(golden.config)) assert.deepEqual(config[key], value, key);
      assert.equal(config.base_model_name_or_path, facts.base.name);
      assert.deepEqual((await readdir(folder)).sort(), [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
      ]);
    });

    it("is read back from its GGUF file as it was, with the model's own order of rows", async (t) => {
      const { base, adapter } = await adaptedSmallModel(name);
      t.after(() => base.close());
      const path = join(await temporaryFolder(t), "adapter.gguf");
      await exportGgufAdapter(adapter, path);
      assert.deepEqual(readGgufAdapter(path, base), adapter);
      const some = { ...adapter, targets: adapter.targets.slice(1, 3) };
      await exportGgufAdapter(some, path);
      assert.deepEqual(readGgufAdapter(path, base), some);
    });

    it("is merged into a model that has all else of the base, and its tokenizer", async (t) => {
      const { base, adapter } = await adaptedSmallModel(name);
      t.after(() => base.close());
      const folder = await temporaryFolder(t);
      const [whole, merged, half] = ["base.gguf", "merged.gguf", "half.gguf"].map((file) => join(folder, file));
      await exportGgufModel(base, whole!, { type: "F32", name: "Small" });
      await exportGgufModel(base, merged!, { adapter, type: "F32" });
      await exportGgufModel(base, half!, { adapter, type: "F16" });
      const [plain, changed, halved] = [await opened(t, whole!), await opened(t, merged!), await opened(t, half!)];
      assert.deepEqual(plain.architecture, base.architecture);
      assert.deepEqual([...plain.tensors.keys()].sort(), [...base.tensors.keys()].sort());
      for (const tensor of base.tensors.keys()) {
        assert.deepEqual(plain.read(tensor), base.read(tensor), tensor);
        assertClose(changed.read(tensor), mergedByHand(base, adapter, tensor), 1e-6, tensor);
        assertClose(halved.read(tensor), changed.read(tensor), 1e-3, tensor);
      }
      const [ours, theirs] = [tokenizerOf(whole!), tokenizerOf(base.files)];
      for (const text of ["The office: 12345 辦公室 🙂<|endoftext|>", "  a\n\n b"])
        for (const control of [true, false])
          assert.deepEqual(ours.encode(text, { control }), theirs.encode(text, { control }));
      assert.deepEqual([ours.bosId, ours.eosId], [theirs.bosId, theirs.eosId]);
    });

    it("leaves a GGUF base's other tensors and metadata as they are, to the byte", async (t) => {
      const { base, adapter } = await adaptedSmallModel(name);
      t.after(() => base.close());
      const folder = await temporaryFolder(t);
      const [whole, copy, merged] = ["base.gguf", "copy.gguf", "merged.gguf"].map((file) => join(folder, file));
      await exportGgufModel(base, whole!, { type: "F16" });
      const gguf = await opened(t, whole!);
      await exportGgufModel(gguf, copy!);
      assert.deepEqual(await readFile(copy!), await readFile(whole!));

      const [first] = adapter.targets;
      const one = { ...adapter, targets: [first!], baseDigest: gguf.digest };
      await exportGgufModel(gguf, merged!, { adapter: one });
      const [before, after] = [new RandomAccessFile(whole!), new RandomAccessFile(merged!)];
      t.after(() => [before, after].map((file) => file.close()));
      const [was, is] = [readGgufHeader(before), readGgufHeader(after)];
      assert.deepEqual(is.metadata, was.metadata);
      for (const [tensor, { offset, bytes }] of was.tensors) {
        const now = is.tensors.get(tensor)!;
        const isSame = before.read(offset, bytes).equals(after.read(now.offset, now.bytes));
        assert.equal(isSame, tensor !== first!.name, tensor);
      }
    });
  });

describe("an adapter", () => {
  it("names exactly its layers for PEFT", async (t) => {
    const { base, adapter } = await adaptedSmallModel("tiny-gpt2");
    t.after(() => base.close());
    const folder = await temporaryFolder(t);
    const modulesOf = async (isWanted: (name: string) => boolean) => {
      const targets = adapter.targets.filter((target) => isWanted(target.name));
      await exportPeft({ ...adapter, targets }, folder, facts);
      return JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8")).target_modules;
    };
    assert.deepEqual(await modulesOf((name) => name.includes("attn_output")), ["attn.c_proj"]);
    assert.deepEqual(await modulesOf((name) => name === "blk.1.attn_qkv.weight"), ["transformer.h.1.attn.c_attn"]);
    assert.deepEqual(await modulesOf((name) => name.startsWith("blk.0.ffn")), [
      "transformer.h.0.mlp.c_fc",
      "transformer.h.0.mlp.c_proj",
    ]);
  });

  it("has a card that says what it is, in which a person's words are no markup", async (t) => {
    const { base, adapter } = await adaptedSmallModel("tiny-gpt2");
    t.after(() => base.close());
    const folder = await temporaryFolder(t);
    await exportPeft(adapter, folder, facts);
    const text = await readFile(join(folder, "README.md"), "utf8");
    assert.match(text, /^---\nbase_model: "openai-community\/gpt2"\nlibrary_name: peft\nlicense: "mit"\n/);
    assert.match(text, /# Handbook \\\| \\<img src=x\\> \\\[a\\\]\\\(http/);
    // The form that the adapter is trained with.
    assert(text.includes(`\n${groundedPrompt("QUESTION", ["PASSAGE", "PASSAGE"])}\n`), text);
    assert.match(text, /stands in for another: gpt2 was not there\./);
    for (const fact of [adapter.baseDigest, facts.dataDigest, "| learning rate | 0.0002 |", "| 1 | 3.2500 | 3.5000 |"])
      assert(text.includes(fact), fact);
  });

  it("is not read from a file that holds none, or one of another model", async (t) => {
    const { base, adapter } = await adaptedSmallModel("tiny-llama");
    const { base: other } = await adaptedSmallModel("tiny-gpt2");
    t.after(() => [base, other].map((opened) => opened.close()));
    const folder = await temporaryFolder(t);
    const [path, model, cut] = ["adapter.gguf", "model.gguf", "cut.gguf"].map((name) => join(folder, name));
    await exportGgufAdapter(adapter, path!);
    await exportGgufModel(base, model!, { type: "F32" });
    await writeFile(cut!, (await readFile(path!)).subarray(0, -40));
    assert.throws(() => readGgufAdapter(model!, base), /holds no low-rank adapter/);
    assert.throws(() => readGgufAdapter(path!, other), /no adapter of a model of the family gpt2/);
    assert.throws(() => readGgufAdapter(cut!, base), BaseRefused);
    const { architecture } = base;
    const shallower = { ...base, architecture: { ...architecture, layers: architecture.layers - 1 } };
    assert.throws(() => readGgufAdapter(path!, shallower), /no layer, or of several ranks/);
    const narrower = { ...base, architecture: { ...architecture, feedForwardWidth: 8 } };
    assert.throws(() => readGgufAdapter(path!, narrower), /do not fit that layer/);
  });

  it("is refused for another base, and where it does not fit", async (t) => {
    const { base, adapter } = await adaptedSmallModel("tiny-llama");
    t.after(() => base.close());
    const folder = await temporaryFolder(t);
    const path = join(folder, "out.gguf");
    const other = { ...adapter, baseDigest: "0".repeat(64) };
    await assert.rejects(exportGgufModel(base, path, { adapter: other }), /belongs to the base with SHA-256 0000/);
    const [first] = adapter.targets as [Adapter["targets"][0]];
    const cases: [RegExp, Partial<Adapter>][] = [
      [/no linear layer/, { targets: [{ ...first, name: "token_embd.weight" }] }],
      [/no linear layer/, { targets: [{ ...first, name: "blk.9.attn_q.weight" }] }],
      [/needs 128 and 128 numbers, not 127 and 128/, { targets: [{ ...first, a: first.a.subarray(1) }] }],
      [/each of its own name/, { targets: [first, first] }],
      [/one target or more/, { targets: [] }],
      [/whole r/, { r: 0 }],
    ];
    for (const [message, change] of cases) {
      await assert.rejects(exportGgufAdapter({ ...adapter, ...change }, path), message);
      await assert.rejects(exportPeft({ ...adapter, ...change }, join(folder, "peft"), facts), message);
      await assert.rejects(exportGgufModel(base, path, { adapter: { ...adapter, ...change } }), message);
    }
    const huge = randomAdapter(base, { r: 4, alpha: 1e9, seed: 1 });
    await assert.rejects(exportGgufModel(base, path, { adapter: huge, type: "F16" }), /F16 can't hold/);
    assert.deepEqual(await readdir(folder), []);
  });
});
