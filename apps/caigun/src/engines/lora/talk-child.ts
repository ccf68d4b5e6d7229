import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
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
    if (!existsSync(path)) await exportGgufModel(opened, path, { type: "F16" });
    return path;
  } finally {
    opened.close();
  }
}
