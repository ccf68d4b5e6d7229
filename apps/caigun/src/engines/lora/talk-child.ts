import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { exportGgufModel, openBase } from "@caigun/lora";
import { serveParent } from "../../children/serve-parent.ts";
import { AdaptedModels } from "./adapted-models.ts";
import { adaptedModelsLimits } from "./limits.ts";
import type { TalkReply, TalkRequest } from "./messages.ts";
import { writeAnswer } from "./write-answer.ts";

const models = new AdaptedModels(adaptedModelsLimits);
/** By the path of the base's file, what llama.cpp opens. */
const ready = new Map<string, Promise<string>>();
/** A base of 1 GB takes less than a minute. */
const LONGEST_WRITING_MS = 3_600_000;
let turn: Promise<unknown> = Promise.resolve();

/** The process that holds one base and writes with the adapters of many chatbots, one reply at a time. */
serveParent((message, report, signal): Promise<TalkReply> => {
  const writing = turn.then(() => write(message as TalkRequest, report, signal));
  turn = writing.catch(() => {});
  return writing;
});

async function write(request: TalkRequest, report: (piece: string) => void, signal: AbortSignal): Promise<TalkReply> {
  signal.throwIfAborted();
  const sequence = await models.sequenceOf(await asGguf(request), request.adapter);
  signal.throwIfAborted();
  return writeAnswer(sequence, request, report, signal);
}

/** The base as one GGUF file: what it is, or what is made of a safetensors file once and kept. */
function asGguf({ base, baseDigest, folder }: TalkRequest): Promise<string> {
  const key = `${base.model} ${baseDigest}`;
  const making = ready.get(key) ?? prepare({ base, baseDigest, folder });
  ready.set(key, making);
  making.catch(() => ready.delete(key));
  return making;
}

async function prepare({
  base,
  baseDigest,
  folder,
}: Pick<TalkRequest, "base" | "baseDigest" | "folder">): Promise<string> {
  const opened = await openBase(base, { digest: baseDigest });
  try {
    if (opened.format === "gguf") return base.model;
    const path = join(folder, `${baseDigest.slice(0, 16)}.gguf`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeLeftParts(folder);
    if (!existsSync(path)) await exportGgufModel(opened, path, { type: "F16" });
    return path;
  } finally {
    opened.close();
  }
}

/** What a process left that was killed while it wrote; another one may be writing. */
async function removeLeftParts(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(".part")) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LONGEST_WRITING_MS) await rm(path, { force: true });
  }
}
