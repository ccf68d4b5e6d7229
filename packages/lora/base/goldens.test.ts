import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { openBase } from "../index.ts";
import type { TensorType } from "./base.ts";
import { dequantise } from "./dequantise.ts";

type Goldens = {
  models: Record<string, { tensors: Record<string, { shape: number[]; sha256: string }> }>;
  blocks: Record<string, { bytes: string; values: string }>;
};

/** Made by testkit/goldens/lora_base.py with transformers and gguf. */
const folder = new URL("../goldens/", import.meta.url);
const { models, blocks } = JSON.parse(readFileSync(new URL("base.json", folder), "utf8")) as Goldens;

const sha256 = (values: Float32Array<ArrayBuffer>) =>
  createHash("sha256")
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .digest("hex");

describe("safetensors", () => {
  for (const [name, { tensors }] of Object.entries(models))
    it(`give ${name}'s tensors to the bit as transformers has them`, async (t) => {
      const base = await openBase(fileURLToPath(new URL(name, folder)));
      t.after(() => base.close());
      assert.deepEqual([...base.tensors.keys()].sort(), Object.keys(tensors).sort());
      for (const [tensor, golden] of Object.entries(tensors)) {
        assert.deepEqual(base.tensors.get(tensor)!.shape, golden.shape, tensor);
        assert.equal(sha256(base.read(tensor) as Float32Array<ArrayBuffer>), golden.sha256, tensor);
      }
    });
});

describe("blocks", () => {
  for (const [type, { bytes, values }] of Object.entries(blocks))
    it(`of ${type} are the numbers that the package gguf reads`, () => {
      const block = Buffer.from(Uint8Array.from(Buffer.from(bytes, "hex")).buffer);
      const read = dequantise(type as TensorType, block);
      assert.deepEqual(read, new Float32Array(Uint8Array.from(Buffer.from(values, "hex")).buffer));
    });
});
