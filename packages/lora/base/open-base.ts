import type { Base, BaseTensor } from "./base.ts";
import { type BaseFiles, baseFilesAt, configOf } from "./base-files.ts";
import { dequantise } from "./dequantise.ts";
import { readGgufModel } from "./gguf-base.ts";
import { BaseRefused } from "./problems.ts";
import { RandomAccessFile, sha256OfFile } from "./random-access-file.ts";
import { readSafetensorsModel } from "./safetensors-base.ts";

export interface OpenedBase extends Base {
  files: BaseFiles;
  format: "gguf" | "safetensors";
}

export interface OpenBaseOptions {
  /** The model file's SHA-256, where it is known: computing it takes about a second for each 500 MB. */
  digest?: string | undefined;
}

/**
 * Opens a model of the GPT-2 or Llama family: a GGUF file, a safetensors file with its config.json, or a folder that
 * holds either. Tensors are read when they are asked for, each for itself. Throws BaseRefused.
 */
export async function openBase(at: string | BaseFiles, { digest }: OpenBaseOptions = {}): Promise<OpenedBase> {
  const files = typeof at === "string" ? baseFilesAt(at) : at;
  const file = new RandomAccessFile(files.model);
  try {
    const format = formatOf(file);
    const model = format === "gguf" ? readGgufModel(file) : readSafetensorsModel(file, configOf(files));
    const tensors = new Map<string, BaseTensor>();
    for (const [name, { shape, stored }] of model.tensors) tensors.set(name, { name, shape, type: stored.type });
    return {
      files,
      format,
      architecture: model.architecture,
      tensors,
      digest: digest ?? (await sha256OfFile(files.model)),
      read(name) {
        const tensor = model.tensors.get(name);
        if (!tensor) throw new BaseRefused(`${files.model} has no tensor ${name}.`);
        const { type, offset, bytes } = tensor.stored;
        return model.canonical(dequantise(type, file.read(offset, bytes)), tensor);
      },
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** By its first bytes, whatever it is called. Throws BaseRefused. */
export function formatOf(file: RandomAccessFile): "gguf" | "safetensors" {
  const begin = file.read(0, Math.min(9, file.bytes)).toString("latin1");
  if (begin.startsWith("GGUF")) return "gguf";
  // The length of the header, and then JSON.
  if (begin[8] === "{") return "safetensors";
  throw new BaseRefused(`${file.path} begins neither as a GGUF file nor as a safetensors file does. Name another.`);
}
