import { ggufTypes } from "../base/gguf-header.ts";
import { pairsFromHalves } from "../base/layout.ts";
import { type Adapter, placedTargets } from "./adapter.ts";
import { type GgufField, ggufHead } from "./gguf-head.ts";
import { bytesIn, writeAt, writeWhole } from "./whole-file.ts";

/**
 * Writes an adapter as llama.cpp's convert_lora_to_gguf.py does, in F32. Throws RangeError where the adapter fits its
 * architecture badly.
 */
export async function exportGgufAdapter(adapter: Adapter, path: string): Promise<void> {
  const { r, alpha, architecture } = adapter;
  const fields = new Map<string, GgufField>([
    ["general.architecture", { type: ggufTypes.string, value: architecture.family }],
    ["general.type", { type: ggufTypes.string, value: "adapter" }],
    ["adapter.type", { type: ggufTypes.string, value: "lora" }],
    ["adapter.lora.alpha", { type: ggufTypes.float32, value: alpha }],
  ]);
  const tensors = placedTargets(adapter).flatMap(({ name, a, b, layer }) => {
    const [out, into] = layer.shape;
    const rows =
      layer.rotatedHeads === undefined ? b : pairsFromHalves(b, layer.rotatedHeads, out / layer.rotatedHeads);
    return [
      { name: `${name}.lora_a`, type: "F32" as const, shape: [r, into], numbers: a },
      { name: `${name}.lora_b`, type: "F32" as const, shape: [out, r], numbers: rows },
    ];
  });
  const { bytes, offsets, fileBytes } = ggufHead(fields, tensors);
  await writeWhole(path, async (file) => {
    await file.truncate(fileBytes);
    await writeAt(file, bytes, 0);
    for (const [index, { numbers }] of tensors.entries()) await writeAt(file, bytesIn(numbers), offsets[index]!);
  });
}
