import type { Base, BaseTensor } from "./base.ts";
import { dequantise } from "./dequantise.ts";
import { readGgufModel } from "./gguf-base.ts";
import { BaseRefused } from "./problems.ts";
import { RandomAccessFile, sha256OfFile } from "./random-access-file.ts";

export interface OpenedBase extends Base {
  /** The file that holds the tensors. */
  path: string;
  format: "gguf" | "safetensors";
}

export interface OpenBaseOptions {
  /** The file's SHA-256, where it is known: computing it takes about a second for each 500 MB. */
  digest?: string | undefined;
}

/**
 * Opens a model of the GPT-2 or Llama family: a GGUF file, a safetensors file with its config.json beside it, or a
 * folder with model.safetensors. Tensors are read when they are asked for, each for itself. Throws BaseRefused.
 */
export async function openBase(path: string, { digest }: OpenBaseOptions = {}): Promise<OpenedBase> {
  const file = new RandomAccessFile(path);
  try {
    const { architecture, tensors: matched, canonical } = readGgufModel(file);
    const tensors = new Map<string, BaseTensor>();
    for (const [name, { shape, stored }] of matched) tensors.set(name, { name, shape, type: stored.type });
    return {
      path,
      format: "gguf",
      architecture,
      tensors,
      digest: digest ?? (await sha256OfFile(path)),
      read(name) {
        const tensor = matched.get(name);
        if (!tensor) throw new BaseRefused(`${path} has no tensor ${name}.`);
        const { type, offset, bytes } = tensor.stored;
        return canonical(dequantise(type, file.read(offset, bytes)), tensor);
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
