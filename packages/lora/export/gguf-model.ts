import type { FileHandle } from "node:fs/promises";
import type { TensorType } from "../base/base.ts";
import { ggufTypes, readGgufHeader } from "../base/gguf-header.ts";
import { pairsFromHalves } from "../base/layout.ts";
import type { OpenedBase } from "../base/open-base.ts";
import { RandomAccessFile } from "../base/random-access-file.ts";
import type { StoredTensor } from "../base/stored-tensors.ts";
import { expectedTensors } from "../base/tensor-names.ts";
import { tokenizerSource } from "../tokenizer/sources.ts";
import { type Adapter, merge, placedTargets } from "./adapter.ts";
import { fieldsFor, fieldsOf } from "./gguf-fields.ts";
import { type GgufField, type GgufTensor, ggufHead } from "./gguf-head.ts";
import { bytesIn, writeAt, writeWhole } from "./whole-file.ts";

/** How numbers that are written anew may be kept. */
export type WrittenType = Extract<TensorType, "F32" | "F16">;

export interface GgufModelOptions {
  /** Merged into the weights. Without one, the base is written as it is. */
  adapter?: Adapter | undefined;
  /**
   * Has every weight written in this type. Where it is left out, a GGUF base's other tensors stay as they are, and what
   * is written anew is in F16, or in F32 where the base has it so.
   */
  type?: WrittenType | undefined;
  /** A name for the model, where the base's file has none. */
  name?: string | undefined;
}

const COPY_BYTES = 1 << 22;
const LARGEST_F16 = 65_504;
/** enum llama_ftype: what most tensors are kept in. */
const FILE_TYPES = { F32: 0, F16: 1 } as const;

/**
 * Writes a base as one GGUF file, with an adapter merged into it. Of a GGUF base the metadata and all other tensors are
 * copied as they are; of a safetensors base the tokenizer is written too. One tensor is in memory at a time. Throws
 * RangeError where the adapter is another base's, and BaseRefused where llama.cpp has no such tokenizer.
 */
export async function exportGgufModel(base: OpenedBase, path: string, options: GgufModelOptions = {}): Promise<void> {
  const { adapter, type } = options;
  if (adapter && adapter.baseDigest !== base.digest)
    throw new RangeError(
      `The adapter belongs to the base with SHA-256 ${adapter.baseDigest}, not to ${base.files.model} with ${base.digest}.`,
    );
  const targets = new Map(adapter ? placedTargets(adapter).map((target) => [target.name, target]) : []);
  const file = new RandomAccessFile(base.files.model);
  try {
    const { fields, copied } =
      base.format === "gguf"
        ? givenGguf(file)
        : {
            fields: fieldsFor(base.architecture, tokenizerSource(base.files), options.name ?? base.architecture.family),
            copied: new Map<string, StoredTensor>(),
          };
    const layers = new Map(expectedTensors(base.architecture).map((tensor) => [tensor.name, tensor]));
    const names = copied.size > 0 ? [...copied.keys()] : [...base.tensors.keys()];
    const isCopied = (name: string) => type === undefined && copied.has(name) && !targets.has(name);
    const tensors = names.map((name): GgufTensor => {
      const { shape, type: stored } = base.tensors.get(name)!;
      if (isCopied(name)) return { name, shape, type: stored };
      return { name, shape, type: mustBe(name, shape) ?? type ?? (stored === "F32" ? "F32" : "F16") };
    });
    if (!names.every(isCopied)) setFileType(fields, tensors);
    const { bytes, offsets, fileBytes } = ggufHead(fields, tensors);
    await writeWhole(path, async (target) => {
      await target.truncate(fileBytes);
      await writeAt(target, bytes, 0);
      for (const [index, tensor] of tensors.entries()) {
        const [position, stored, change] = [offsets[index]!, copied.get(tensor.name), targets.get(tensor.name)];
        if (stored && isCopied(tensor.name)) await copy(file, stored, target, position);
        else {
          let numbers = base.read(tensor.name);
          if (change && adapter) merge(numbers, change, adapter.r, adapter.alpha);
          const heads = layers.get(tensor.name)?.rotatedHeads;
          if (heads !== undefined) numbers = pairsFromHalves(numbers, heads, base.architecture.headWidth);
          await writeAt(target, encoded(numbers, tensor), position);
        }
      }
    });
  } finally {
    file.close();
  }
}

function givenGguf(file: RandomAccessFile) {
  const header = readGgufHeader(file);
  return { fields: fieldsOf(header), copied: header.tensors };
}

/** llama.cpp adds biases, norms and positions in F32 alone. */
function mustBe(name: string, shape: readonly number[]): "F32" | undefined {
  return shape.length === 1 || name === "position_embd.weight" ? "F32" : undefined;
}

function encoded(numbers: Float32Array, { name, type }: GgufTensor): Uint8Array {
  if (type === "F32") return bytesIn(numbers);
  if (numbers.some((value) => Math.abs(value) > LARGEST_F16))
    throw new RangeError(`${name} holds numbers that F16 can't hold: write the model in F32.`);
  return bytesIn(new Float16Array(numbers));
}

function setFileType(fields: Map<string, GgufField>, tensors: readonly GgufTensor[]): void {
  const isHalf = tensors.some(({ type }) => type === "F16");
  fields.set("general.file_type", { type: ggufTypes.uint32, value: FILE_TYPES[isHalf ? "F16" : "F32"] });
}

async function copy(from: RandomAccessFile, { offset, bytes }: StoredTensor, to: FileHandle, position: number) {
  for (let done = 0; done < bytes; done += COPY_BYTES)
    await writeAt(to, from.read(offset + done, Math.min(COPY_BYTES, bytes - done)), position + done);
}
