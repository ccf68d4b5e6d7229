import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { exportGgufModel, openBase } from "@caigun/lora";
import { LlamaCompletion } from "node-llama-cpp";
import { serveParent } from "../../children/serve-parent.ts";
import { AdaptedModels } from "./adapted-models.ts";
import type { TalkReply, TalkRequest } from "./messages.ts";
import { fittingPassages, groundedPrompt } from "./prompt.ts";

/** The adapter was trained on other weights than those that are here. */
class AdapterOfAnotherBase extends Error {
  override name = "AdapterOfAnotherBase";
}

const MOST_TOKENS = 120;
/** Its threads wait for each other at every step: one that shares its core with other work makes a reply ten times slower. */
const THREADS = Math.max(1, availableParallelism() - 1);
const models = new AdaptedModels({ mostContexts: 6, mostAdapters: 24, threads: THREADS });
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
  const context = await models.contextOf(await asGguf(request), request.adapter);
  signal.throwIfAborted();
  const { model } = context;
  const passages = fittingPassages(request.passages, (text) => model.tokenize(text).length);
  const prompt = model.tokenize(groundedPrompt(request.question, passages));
  const begin = model.tokens.shouldPrependBosToken && model.tokens.bos !== null ? [model.tokens.bos] : [];
  const sequence = context.getSequence();
  try {
    const completion = new LlamaCompletion({ contextSequence: sequence });
    const { metadata } = await completion.generateCompletionWithMeta([...begin, ...prompt], {
      signal,
      maxTokens: MOST_TOKENS,
      temperature: 0,
      // An answer is one paragraph; without this a base that learned little would go on with a question of its own.
      customStopTriggers: ["\n"],
      onTextChunk: report,
    });
    return { stopReason: metadata.stopReason };
  } finally {
    sequence.dispose();
  }
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
  const opened = await openBase(base);
  try {
    if (opened.digest !== baseDigest)
      throw new AdapterOfAnotherBase(
        `The adapter belongs to the base with SHA-256 ${baseDigest}, not to ${opened.digest}.`,
      );
    if (opened.format === "gguf") return base.model;
    const path = join(folder, `${baseDigest.slice(0, 16)}.gguf`);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(path)) await exportGgufModel(opened, path, { type: "F16" });
    return path;
  } finally {
    opened.close();
  }
}
