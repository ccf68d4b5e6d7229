import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { type BaseFiles, BaseRefused, baseFilesAt, sha256OfFile } from "@caigun/lora";
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

/** Where Hugging Face has each base in full precision: PEFT loads it by that name. */
const repositories: Readonly<Record<BaseName, string>> = {
  gpt2: "openai-community/gpt2",
  "smollm2-135m-instruct-q4_1": "HuggingFaceTB/SmolLM2-135M-Instruct",
};

export type BaseModel = {
  /** One of ours by its name, a person's own by the name of its file or folder: which folders a machine has is nobody's business. */
  name: string;
  files: BaseFiles;
  /** SHA-256 of the model file, where it was checked when it was fetched. */
  digest: string | undefined;
  /** An SPDX identifier, where it is known. */
  licence: string | undefined;
  /** Why it is not the base that comes first; callers of the API see it. */
  because?: string;
};

export type BaseOptions = {
  choice: BaseChoice;
  weightsFolder: string;
  fetch: Pick<FetchOptions, "hubUrl" | "python">;
  /** Whether another base than the first is refused. */
  strict: boolean;
};

type Where = Pick<BaseOptions, "choice" | "weightsFolder">;

export type FetchBaseOptions = {
  signal?: AbortSignal;
  onProgress?: (progress: FetchProgress) => void;
  /** How long the first base may take to come before the second is used; what has come is kept for the next time. */
  waitMs?: number;
  /** Told why the first can't be had, with what its sources answered, before the second is used. */
  onUnavailable?: (error: Error) => void;
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
 * Throws WeightsUnavailable where none can be had, or the first can't and `strict` is set; WeightsNotWritten where the
 * disk is what fails; BaseRefused for a path that holds no model; the signal's reason.
 */
export async function fetchBase(
  options: BaseOptions,
  { signal, onProgress, waitMs, onUnavailable }: FetchBaseOptions = {},
): Promise<BaseModel> {
  const { choice, weightsFolder, fetch, strict } = options;
  if (choice && "path" in choice) return ownBase(choice.path);
  const names: readonly BaseName[] = choice ? [choice.name] : strict ? baseNames.slice(0, 1) : baseNames;
  const failures: WeightsUnavailable[] = [];
  // Of the second base too it is told only what is more than what had come of the first.
  let most = 0;
  const tell = (progress: FetchProgress) => {
    most = Math.max(most, progress.fraction);
    onProgress?.({ ...progress, fraction: most });
  };
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    const late = waitMs === undefined || isLast ? undefined : AbortSignal.timeout(Math.ceil(waitMs));
    const signals = [signal, late].filter((one) => one !== undefined);
    try {
      const options = { ...fetch, onProgress: tell, ...(signals.length > 0 && { signal: AbortSignal.any(signals) }) };
      const found = asBase(name, await fetchWeights(weightsFolder, name, options));
      return failures.length === 0 ? found : { ...found, because: failures.map(({ told }) => told).join(" ") };
    } catch (error) {
      signal?.throwIfAborted();
      const failure = late?.aborted ? tooLate(name, waitMs!, error) : error;
      if (!(failure instanceof WeightsUnavailable)) throw failure;
      failures.push(failure);
      if (!isLast) onUnavailable?.(failure);
    }
  }
  throw new WeightsUnavailable(failures.map(({ message }) => message).join(" "), {
    told: failures.map(({ told }) => told).join(" "),
    mayPass: failures.some(({ mayPass }) => mayPass),
    cause: failures.at(-1),
  });
}

function tooLate(name: BaseName, waitMs: number, cause: unknown): WeightsUnavailable {
  const told = `${name} did not come within ${Math.ceil(waitMs / 1_000)} s.`;
  return new WeightsUnavailable(told, { told, mayPass: true, cause });
}

/**
 * The base on this machine with one digest (SHA-256 of its file): a person's own file may prove to be another when it is
 * opened. Undefined where none has it.
 */
function baseWithDigest({ choice, weightsFolder }: Where, digest: string): BaseModel | undefined {
  for (const name of baseNames) {
    const present = presentBase(weightsFolder, name);
    if (present?.digest === digest) return present;
  }
  if (!choice || !("path" in choice)) return undefined;
  try {
    return ownBase(choice.path);
  } catch (error) {
    // A path that holds no model holds none with this digest.
    if (error instanceof BaseRefused) return undefined;
    throw error;
  }
}

/** No base with an adapter's digest is on this machine; the message says what brings it. */
export class BaseMissing extends Error {
  override name = "BaseMissing";
}

/** The base that `baseWithDigest` finds, whose file has this digest indeed. Throws BaseMissing. */
export async function requireBase(where: Where, digest: string): Promise<BaseModel> {
  const found = baseWithDigest(where, digest);
  if (found && (found.digest ?? (await digestOf(found.files.model))) === digest) return { ...found, digest };
  const name = baseNames.find((name) => modelVariants(name).some(({ sha256 }) => sha256 === digest));
  throw new BaseMissing(
    name === undefined
      ? `The weights that it was trained on (SHA-256 ${digest}) are not on this machine: set CAIGUN_GPT2_BASE to their file and start the server again.`
      : `${name}, which it was trained on, is not on this machine: \`npx caigun pull ${name}\` fetches it.`,
  );
}

/** What PEFT loads a base by, where Hugging Face has it; else its own name. */
export function repositoryOf(base: string): string {
  return (repositories as Readonly<Record<string, string>>)[base] ?? base;
}

/** What callers of the API are told of a base that was refused: not the folders of this machine. */
export function refusalOf(base: BaseModel | BaseChoice, { message }: Error): string {
  const path = base && ("files" in base ? base.files.model : "path" in base ? base.path : undefined);
  const folder = path?.slice(0, -basename(path).length) ?? "";
  return `The base model can't be used: ${folder.length > 1 ? message.replaceAll(folder, "") : message}`;
}

/** SHA-256 of models' files that are a person's own, by what changes when a file does: computing one takes seconds. */
const ownDigests = new Map<string, string>();

async function digestOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const key = [path, found.size, found.mtimeMs, found.ino].join();
  const digest = ownDigests.get(key) ?? (await sha256OfFile(path));
  ownDigests.set(key, digest);
  return digest;
}

function modelVariants(name: BaseName) {
  const { files } = manifest[name];
  return "model.gguf" in files ? files["model.gguf"] : files["model.safetensors"];
}

function ownBase(path: string): BaseModel {
  return { name: basename(path), files: baseFilesAt(path), digest: undefined, licence: undefined };
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
