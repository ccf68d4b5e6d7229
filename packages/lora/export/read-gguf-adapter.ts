import type { Base } from "../base/base.ts";
import { type GgufHeader, readGgufHeader } from "../base/gguf-header.ts";
import { halvesFromPairs } from "../base/layout.ts";
import { BaseRefused } from "../base/problems.ts";
import { RandomAccessFile } from "../base/random-access-file.ts";
import { type Adapter, type AdapterTarget, linearLayers, type PlacedTarget } from "./adapter.ts";

/**
 * Reads an adapter back that `exportGgufAdapter` or llama.cpp's convert_lora_to_gguf.py wrote in F32, for the base that
 * it was trained on: the file does not say which that is. Throws BaseRefused where it holds no adapter, or one that fits
 * another model.
 */
export function readGgufAdapter(
  path: string,
  { architecture, digest }: Pick<Base, "architecture" | "digest">,
): Adapter {
  const file = new RandomAccessFile(path);
  try {
    const header = readGgufHeader(file);
    const { family } = architecture;
    const alpha = Number(header.metadata.get("adapter.lora.alpha"));
    if (header.metadata.get("general.type") !== "adapter" || header.metadata.get("adapter.type") !== "lora")
      throw new BaseRefused(`${path} holds no low-rank adapter. Name the GGUF file of one.`);
    if (header.metadata.get("general.architecture") !== family || !(Number.isFinite(alpha) && alpha > 0))
      throw new BaseRefused(`${path} is no adapter of a model of the family ${family}. Name its own base.`);
    const ranks = new Set<number>();
    const targets = linearLayers(architecture).flatMap((layer): AdapterTarget[] => {
      const found = readTarget(file, header, layer);
      if (!found) return [];
      ranks.add(found.r);
      return [found.target];
    });
    const [r, ...others] = ranks;
    if (r === undefined || others.length > 0 || 2 * targets.length !== header.tensors.size)
      throw new BaseRefused(`${path} has matrices for which this model has no layer, or of several ranks.`);
    return { r, alpha, targets, architecture, baseDigest: digest };
  } finally {
    file.close();
  }
}

function readTarget(
  file: RandomAccessFile,
  { tensors }: GgufHeader,
  { name, shape: [out, into], rotatedHeads }: PlacedTarget["layer"],
): { r: number; target: AdapterTarget } | undefined {
  const [storedA, storedB] = [tensors.get(`${name}.lora_a`), tensors.get(`${name}.lora_b`)];
  if (!storedA && !storedB) return undefined;
  const r = storedA?.shape[0] ?? 0;
  const isFitting = storedA?.shape.join() === `${r},${into}` && storedB?.shape.join() === `${out},${r}`;
  if (!isFitting || storedA.type !== "F32" || storedB.type !== "F32")
    throw new BaseRefused(`${file.path} has matrices for ${name} that do not fit that layer, or are not in F32.`);
  const numbers = ({ offset, bytes }: { offset: number; bytes: number }) =>
    new Float32Array(file.read(offset, bytes).buffer);
  const rows = numbers(storedB);
  const b = rotatedHeads === undefined ? rows : halvesFromPairs(rows, rotatedHeads, out / rotatedHeads);
  return { r, target: { name, a: numbers(storedA), b } };
}
