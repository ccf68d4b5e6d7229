import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { AdapterFormat } from "@caigun/contract";
import { SingleBar } from "cli-progress";
import { type Api, download } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { apiOf } from "./installation.ts";
import { modelIdOf } from "./model-ids.ts";
import { print } from "./printing.ts";

type Options = { format: AdapterFormat; out: string; json?: boolean; apiKey?: string };

/** Writes what a model learned into a file, which is there whole or not at all; a folder gets it under the server's name. */
export async function exportModel(model: string, { format, out, json, apiKey }: Options): Promise<void> {
  const api = await apiOf(apiKey);
  const id = await modelIdOf(api, model);
  const isFolder = await stat(out).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const part = isFolder ? join(out, `.${randomUUID()}.part`) : `${out}.${randomUUID()}.part`;
  // Before there is anything that would be left.
  const stopped = new AbortController();
  const stop = () => stopped.abort(new CommandFailed("Stopped."));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  const file = await open(part, "wx").catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed(
      `${out} can't be written (${error.code}). Name a file in a folder of yours.`,
      exitCodes.usage,
    );
  });
  try {
    const how = { quiet: json === true, signal: stopped.signal };
    const { fileName, bytes } = await receive(api, id, format, file, how);
    const path = resolve(isFolder ? join(out, basename(fileName ?? `${id}.${format}`)) : out);
    await file.sync();
    await rename(part, path);
    print(json, { model_id: id, format, path, bytes }, () => [`${path} (${megabytes(bytes)})`]);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await file.close();
    await rm(part, { force: true });
  }
}

/** Into the open file, with a bar on the terminal. */
async function receive(
  api: Api,
  id: string,
  format: AdapterFormat,
  file: FileHandle,
  { quiet, signal }: { quiet: boolean; signal: AbortSignal },
) {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {megabytes}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Without a terminal a line now and then, so that a log shows that it goes on.
    noTTYOutput: !quiet,
    notTTYSchedule: 5_000,
  });
  // It is made first, which the server sends nothing about.
  if (!quiet) bar.start(1, 0, { megabytes: "being made" });
  try {
    const { fileName, bytes, body } = await download(api, "exportAdapter", {
      params: { id },
      query: { format },
      signal,
    });
    if (!quiet) bar.setTotal(bytes);
    let received = 0;
    for await (const piece of body) {
      await file.writeFile(piece);
      received += piece.length;
      if (!quiet) bar.update(received, { megabytes: megabytes(bytes) });
    }
    return { fileName, bytes };
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === "ENOSPC")
      throw new CommandFailed("The disk is full. Free some space, or name a file on another disk.", exitCodes.failed);
    // A body that ends before its length: https://fetch.spec.whatwg.org/#concept-body-consume-body
    if (error instanceof TypeError)
      throw new CommandFailed("The server closed the connection before the file was whole. Try again.");
    throw error;
  } finally {
    if (!quiet) bar.stop();
  }
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
