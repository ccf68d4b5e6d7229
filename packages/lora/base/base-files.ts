import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { BaseRefused } from "./problems.ts";

/** Where a base model is. A GGUF file is all of it; what else a safetensors file needs stands by default beside it. */
export interface BaseFiles {
  model: string;
  /** Hugging Face's config.json. */
  config?: string | undefined;
  /** Hugging Face's tokenizer.json. */
  tokenizer?: string | undefined;
}

export const SAFETENSORS = "model.safetensors";

/** The files of the base at a path: a model file, or a folder that holds one. Throws BaseRefused. */
export function baseFilesAt(path: string): BaseFiles {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new BaseRefused(`There is nothing at ${path}: name a GGUF file, or a folder with ${SAFETENSORS}.`);
  if (!found.isDirectory()) return { model: path };
  const model = join(path, SAFETENSORS);
  if (existsSync(model)) return { model };
  const names = readdirSync(path);
  const [gguf, ...others] = names.filter((name) => name.endsWith(".gguf"));
  if (gguf !== undefined && others.length === 0) return { model: join(path, gguf) };
  throw new BaseRefused(
    names.includes(`${SAFETENSORS}.index.json`)
      ? `${path} holds a model in several files: only one file, ${SAFETENSORS}, can be read. Name a smaller base, or save this one anew as one file.`
      : `${path} holds no ${SAFETENSORS}, and not one GGUF file: name the model's file.`,
  );
}

export function configOf({ model, config }: BaseFiles): string {
  return config ?? join(dirname(model), "config.json");
}
