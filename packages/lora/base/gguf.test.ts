import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { refusal } from "../../../testkit/refused-base.ts";
import { type GgufField, type GgufTensor, ggufHead } from "../export/gguf-head.ts";
import { BaseRefused, openBase } from "../index.ts";
import type { Architecture } from "./base.ts";
import { ggufTypes, readGgufHeader } from "./gguf-header.ts";
import { halvesFromPairs, pairsFromHalves } from "./layout.ts";
import { RandomAccessFile } from "./random-access-file.ts";
import { expectedTensors } from "./tensor-names.ts";

const { uint32, float32, string, array } = ggufTypes;
const llama: Architecture = {
  family: "llama",
  layers: 1,
  width: 8,
  heads: 2,
  keyValueHeads: 1,
  headWidth: 4,
  feedForwardWidth: 12,
  vocabulary: 5,
  contextLength: 16,
  normEpsilon: 1e-5,
  ropeBase: 10_000,
};
const tensors: GgufTensor[] = expectedTensors(llama)
  .filter(({ isOptional }) => !isOptional)
  .map(({ name, shape }) => ({ name, shape, type: "F32" }));

function fields(more: Readonly<Record<string, GgufField>> = {}): Map<string, GgufField> {
  return new Map(
    Object.entries({
      "general.architecture": { type: string, value: "llama" },
      "llama.block_count": { type: uint32, value: llama.layers },
      "llama.context_length": { type: uint32, value: llama.contextLength },
      "llama.embedding_length": { type: uint32, value: llama.width },
      "llama.feed_forward_length": { type: uint32, value: llama.feedForwardWidth },
      "llama.attention.head_count": { type: uint32, value: llama.heads },
      "llama.attention.head_count_kv": { type: uint32, value: llama.keyValueHeads },
      "llama.attention.layer_norm_rms_epsilon": { type: float32, value: llama.normEpsilon },
      "tokenizer.ggml.tokens": { type: string, value: ["a", "b", "é", "辦", "🙂"] },
      ...more,
    }),
  );
}

/** A whole file in which the numbers of each tensor count up from its index. */
function file(given = fields(), listed = tensors): Buffer {
  const { bytes, offsets, fileBytes } = ggufHead(given, listed);
  const whole = Buffer.alloc(fileBytes);
  bytes.copy(whole);
  listed.forEach(({ shape }, index) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Float32Array.from({ length: count }, (_, at) => index + at);
    Buffer.from(numbers.buffer).copy(whole, offsets[index]);
  });
  return whole;
}

async function written(t: TestContext, bytes: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-gguf-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "model.gguf");
  await writeFile(path, bytes);
  return path;
}

describe("a GGUF file", () => {
  it("says what the model is, and gives each tensor in the canonical layout", async (t) => {
    const base = await openBase(await written(t, file()));
    t.after(() => base.close());
    assert.deepEqual(base.architecture, llama);
    assert.match(base.digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(
      [...base.tensors.keys()],
      tensors.map(({ name }) => name),
    );
    assert.deepEqual(base.tensors.get("blk.0.attn_k.weight"), {
      name: "blk.0.attn_k.weight",
      shape: [4, 8],
      type: "F32",
    });
    const first = (name: string) => base.read(name)[0]! - tensors.findIndex((tensor) => tensor.name === name);
    assert.equal(first("blk.0.attn_v.weight"), 0);
    // Rows 0, 2, 1, 3 of the file: even ones are the first half.
    const keys = base.read("blk.0.attn_k.weight");
    assert.deepEqual(
      [0, 1, 2, 3].map((row) => (keys[row * 8]! - keys[0]!) / 8),
      [0, 2, 1, 3],
    );
    assert.throws(() => base.read("blk.1.attn_k.weight"), /has no tensor/);
  });

  it("keeps what is written into it", async (t) => {
    const given = fields({
      "a.list": { type: uint32, value: [1, 2] },
      "a.large": { type: ggufTypes.uint64, value: 2n ** 60n },
      "a.small": { type: ggufTypes.int8, value: -3 },
      "a.flag": { type: ggufTypes.bool, value: true },
      "general.alignment": { type: uint32, value: 64 },
    });
    const opened = new RandomAccessFile(await written(t, file(given)));
    t.after(() => opened.close());
    const { metadata, valueTypes, tensors: read } = readGgufHeader(opened);
    for (const [key, { type, value }] of given) {
      assert.equal(valueTypes.get(key), type);
      assert.deepEqual(metadata.get(key), type === float32 ? Math.fround(value as number) : value);
    }
    for (const { offset } of read.values()) assert.equal(offset % 64, 0);
  });

  it("is refused where a part of it makes no sense, with what and why", async (t) => {
    const cases: [RegExp, Buffer][] = [
      [/begins neither as a GGUF file nor/, Buffer.from("PK\x03\x04 and more than twenty-four bytes")],
      [/not copied whole/, Buffer.from("GGUF")],
      [/not copied whole/, file().subarray(0, -64)],
      [/family "mamba"/, file(fields({ "general.architecture": { type: string, value: "mamba" } }))],
      [/is an adapter/, file(fields({ "general.type": { type: string, value: "adapter" } }))],
      [/stretches its rotary/, file(fields({ "llama.rope.scaling.type": { type: string, value: "yarn" } }))],
      [/mixture of experts/, file(fields({ "llama.expert_count": { type: uint32, value: 8 } }))],
      [/layers is 4000000000/, file(fields({ "llama.block_count": { type: uint32, value: 4_000_000_000 } }))],
      [/no tensor blk\.1\./, file(fields({ "llama.block_count": { type: uint32, value: 2 } }))],
      [/no tensor token_embd/, file(fields({ "llama.vocab_size": { type: uint32, value: 5 } }), tensors.slice(1))],
      [/llama.block_count as a number/, file(fields({ "llama.block_count": { type: string, value: "1" } }))],
      [/has a tensor "more"/, file(fields(), [...tensors, { name: "more", shape: [1], type: "F32" }])],
      [/"output_norm.weight" twice/, file(fields(), [...tensors, tensors.at(-1)!])],
      [/instead of 8/, file(fields(), tensors.with(-1, { ...tensors.at(-1)!, shape: [9] }))],
      [/alignment/, file(fields({ "general.alignment": { type: uint32, value: 1_000_000 } }))],
    ];
    for (const [message, bytes] of cases) assert.match(await refusal(await written(t, bytes)), message);
    assert.match(await refusal("/nothing/here.gguf"), /There is nothing at/);
    assert.match(await refusal(dirname(await written(t, Buffer.from("GGUF")))), /not copied whole/);
  });

  it("of a size that no one has is refused, also where its bytes are there", async (t) => {
    const [large, width] = [1_000_000, 2_048];
    const sizes = {
      "llama.embedding_length": width,
      "llama.attention.head_count": 512,
      "llama.feed_forward_length": 1,
    };
    const given = fields(
      Object.fromEntries(Object.entries(sizes).map(([key, value]) => [key, { type: uint32, value }])),
    );
    const wide = expectedTensors({ ...llama, width, heads: 512, feedForwardWidth: 1, vocabulary: large });
    const listed = wide
      .filter(({ isOptional }) => !isOptional)
      .map(({ name, shape }) => ({ name, shape, type: "F32" as const }));
    const { bytes, fileBytes } = ggufHead(given, listed);
    const path = await written(t, bytes);
    // A hole, which takes no room on the disk.
    await truncate(path, fileBytes);
    assert.match(await refusal(path), /1000000 x 2048: a model so large/);
  });

  it("takes no memory for what it only claims", async (t) => {
    const whole = file();
    const claim = (offset: number, value: bigint) => {
      const bytes = Buffer.from(whole);
      bytes.writeBigUInt64LE(value, offset);
      return bytes;
    };
    const keyAt = whole.indexOf("tokenizer.ggml.tokens");
    const countAt = keyAt + "tokenizer.ggml.tokens".length + 8;
    const nameAt = whole.indexOf("output_norm.weight");
    const dimensionAt = nameAt + "output_norm.weight".length + 4;
    const cases: [RegExp, Buffer][] = [
      [/claims 18446744073709551615 tensors/, claim(8, 2n ** 64n - 1n)],
      [/claims 9999 tensors, for which it is too short/, claim(8, 9_999n)],
      [/claims 1000000000 metadata keys/, claim(16, 1_000_000_000n)],
      [/claims 900000 bytes in a key's name/, claim(keyAt - 8, 900_000n)],
      [/claims 3000000 elements of "tokenizer.ggml.tokens", for which it is too short/, claim(countAt, 3_000_000n)],
      [/claims 1099511627776 bytes in the value/, claim(countAt + 8, 2n ** 40n)],
      [/shape 9007199254740993|is 9007199254740993/, claim(dimensionAt, 2n ** 53n + 1n)],
      [/beyond the file's end/, claim(dimensionAt, 2n ** 40n)],
      [/no multiple of 32/, claim(dimensionAt + 12, 3n)],
      [/on another tensor's bytes/, claim(dimensionAt + 12, 0n)],
      [/beyond the file's end/, claim(dimensionAt + 12, 2n ** 52n)],
    ];
    for (const [message, bytes] of cases) assert.match(await refusal(await written(t, bytes)), message);
    const nested = Buffer.from(whole);
    nested.writeUInt32LE(array, countAt - 4);
    assert.match(await refusal(await written(t, nested)), /arrays in an array/);
  });

  it("whatever its bytes are, opens or is refused", async (t) => {
    const whole = file();
    const path = await written(t, whole);
    const headBytes = whole.length - tensors.length * 32;
    const edit = fc.record({
      at: fc.integer({ min: 0, max: headBytes - 8 }),
      value: fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 40n })),
      bytes: fc.constantFrom(1, 4, 8),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(edit, { maxLength: 3 }),
        fc.option(fc.integer({ min: 0, max: whole.length })),
        async (edits, cut) => {
          const bytes = Buffer.from(whole);
          for (const { at, value, bytes: width } of edits)
            for (let byte = 0; byte < width; byte++) bytes[at + byte] = Number((value >> BigInt(8 * byte)) & 255n);
          await writeFile(path, bytes.subarray(0, cut ?? bytes.length));
          const before = process.memoryUsage().arrayBuffers;
          try {
            const base = await openBase(path, { digest: "" });
            for (const name of base.tensors.keys()) base.read(name);
            base.close();
          } catch (error) {
            assert(error instanceof BaseRefused, String((error as Error).stack));
          }
          assert(process.memoryUsage().arrayBuffers - before < 16_000_000);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe("llama.cpp's order of rows", () => {
  it("is undone and made again", () => {
    const values = Float32Array.from({ length: 2 * 6 * 3 }, (_, at) => at);
    assert.deepEqual(pairsFromHalves(halvesFromPairs(values, 2, 6), 2, 6), values);
    assert.deepEqual(halvesFromPairs(Float32Array.of(0, 1, 2, 3, 4, 5), 1, 6), Float32Array.of(0, 2, 4, 1, 3, 5));
  });
});
