import { type BaseFiles, baseFilesAt } from "@caigun/lora";
import {
  type FetchOptions,
  type FetchProgress,
  fetchWeights,
  findWeights,
  manifest,
  type WeightsFiles,
  type WeightsName,
  WeightsUnavailable,
} from "@caigun/weights";

/** The models that `gpt2` is trained on: the first that can be had, unless a person chose one. */
export const baseNames = ["gpt2", "smollm2-135m-instruct-q4_1"] as const satisfies WeightsName[];
export type BaseName = (typeof baseNames)[number];

/** One of ours, or a person's own file or folder; undefined leaves it to what can be had. */
export type BaseChoice = { name: BaseName } | { path: string } | undefined;

export type BaseModel = {
  /** One of ours by its name, a person's own by its path. */
  name: string;
  files: BaseFiles;
  /** SHA-256 of the model file, where it was checked when it was fetched. */
  digest: string | undefined;
  /** An SPDX identifier, where it is known. */
  licence: string | undefined;
  /** Why it is not the base that comes first. */
  because?: string;
};

export type BaseOptions = {
  choice: BaseChoice;
  weightsFolder: string;
  fetch: Pick<FetchOptions, "hubUrl" | "python">;
  /** Whether another base than the first is refused. */
  strict: boolean;
};

export type FetchBaseOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: FetchProgress) => void;
  /** How long the first base may take to come before the second is used; what has come is kept for the next time. */
  waitMs?: number;
};

/** The base that is on this machine already; undefined where it would have to be fetched. Throws BaseRefused. */
export function findBase({ choice, weightsFolder, strict }: BaseOptions): BaseModel | undefined {
  if (choice && "path" in choice) return ownBase(choice.path);
  const [first, ...others] = choice ? [choice.name] : baseNames;
  const present = presentBase(weightsFolder, first!);
  if (present || strict) return present;
  for (const name of others) {
    const other = presentBase(weightsFolder, name);
    if (other) return { ...other, because: notHere(first!) };
  }
  return undefined;
}

/**
 * The base to train on, fetched where it is not there. Where the first can't be had it is the second, and says why.
 * Throws WeightsUnavailable where none can be had, or the first can't and `strict` is set; BaseRefused for a path that
 * holds no model; the signal's reason.
 */
export async function fetchBase(options: BaseOptions, { signal, onProgress, waitMs }: FetchBaseOptions = {}) {
  const { choice, weightsFolder, fetch, strict } = options;
  if (choice && "path" in choice) return ownBase(choice.path);
  const names: readonly BaseName[] = choice ? [choice.name] : strict ? baseNames.slice(0, 1) : baseNames;
  let because: string | undefined;
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const late = waitMs === undefined || isLast ? undefined : AbortSignal.timeout(waitMs);
    const signals = [signal, late].filter((one) => one !== undefined);
    try {
      const options = { ...fetch, onProgress, ...(signals.length > 0 && { signal: AbortSignal.any(signals) }) };
      const found = asBase(name, await fetchWeights(weightsFolder, name, options));
      return because === undefined ? found : { ...found, because };
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof WeightsUnavailable) && !late?.aborted) throw error;
      const what = late?.aborted
        ? `${name} did not come within ${Math.ceil(waitMs! / 1_000)} s.`
        : (error as Error).message;
      if (isLast) throw new WeightsUnavailable([because, what].filter(Boolean).join(" "), { cause: error });
      because = what;
    }
  }
  throw new RangeError("There is no base to choose from.");
}

function ownBase(path: string): BaseModel {
  return { name: path, files: baseFilesAt(path), digest: undefined, licence: undefined };
}

function presentBase(weightsFolder: string, name: BaseName): BaseModel | undefined {
  const files = findWeights(weightsFolder, name);
  return files && asBase(name, files);
}

function asBase(name: BaseName, files: WeightsFiles): BaseModel {
  const model = files["model.safetensors"] ?? files["model.gguf"]!;
  return {
    name,
    files: { model: model.path, config: files["config.json"]?.path, tokenizer: files["tokenizer.json"]?.path },
    digest: model.sha256,
    licence: manifest[name].licence,
  };
}

function notHere(name: BaseName): string {
  return `${name} is not on this machine: \`npx caigun pull ${name}\` fetches it.`;
}
