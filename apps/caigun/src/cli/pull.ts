import {
  fetchWeights,
  findWeights,
  manifest,
  type WeightsFiles,
  type WeightsName,
  weightsNames,
} from "@caigun/weights";
import { SingleBar } from "cli-progress";
import { readConfig } from "../config.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { print, table } from "./printing.ts";

type Options = { from?: string; json?: boolean };

/** Brings a model's files below the folder for weights, from where the manifest says or from a path. */
export async function pull(name: string | undefined, { from, json }: Options): Promise<void> {
  const { weightsFolder, huggingFaceUrl } = readConfig();
  if (name === undefined) {
    if (from !== undefined)
      throw new CommandFailed("Say which model the file is of: NAME --from PATH.", exitCodes.usage);
    return list(weightsFolder, json);
  }
  const known = weightsNames.find((other) => other === name);
  if (known === undefined)
    throw new CommandFailed(`No model is called "${name}". Write one of ${weightsNames.join(", ")}.`, exitCodes.usage);
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const bar = downloadBar(json === true);
  try {
    const options = { from, hubUrl: huggingFaceUrl, signal: stopped.signal, onProgress: bar.show };
    const files = await fetchWeights(weightsFolder, known, options);
    print(json, { name, ...described(files) }, () =>
      Object.values(files).flatMap(({ path, sha256 }) => [path, `  SHA-256 ${sha256}`]),
    );
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
    throw new CommandFailed("Stopped. What has come so far is kept, and the next pull goes on from there.");
  } finally {
    bar.stop();
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}

function list(folder: string, json: boolean | undefined): void {
  const models = weightsNames.map((name) => {
    const files = findWeights(folder, name);
    return {
      name,
      licence: manifest[name].licence,
      bytes: bytesOf(name),
      ...(files ? described(files) : { files: null }),
    };
  });
  print(json, { folder, models }, () =>
    table([
      ["name", "licence", "size", "is there"],
      ...models.map(({ name, licence, bytes, files }) => [name, licence, megabytes(bytes), files ? "yes" : "no"]),
    ]),
  );
}

/** Of what is fetched first; where another source gives another conversion, it is about as large. */
function bytesOf(name: WeightsName): number {
  return Object.values(manifest[name].files).reduce((sum, [first]) => sum + first.bytes, 0);
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;

function described(files: WeightsFiles) {
  return { files: Object.entries(files).map(([file, { path, sha256 }]) => ({ file, path, sha256 })) };
}

/** A bar for each file on standard error; none where only JSON is wanted. */
function downloadBar(quiet: boolean) {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {file}, {megabytes}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Without a terminal a line now and then, so that a log shows that it goes on.
    noTTYOutput: !quiet,
    notTTYSchedule: 5_000,
  });
  let shown: string | undefined;
  return {
    show({ file, bytes, totalBytes }: { file: string; bytes: number; totalBytes: number }) {
      if (quiet) return;
      const told = { file, megabytes: megabytes(totalBytes) };
      if (shown !== file) {
        bar.stop();
        bar.start(totalBytes, bytes, told);
      }
      shown = file;
      bar.update(bytes, told);
    },
    stop: () => bar.stop(),
  };
}
