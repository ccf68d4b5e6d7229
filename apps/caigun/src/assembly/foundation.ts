import { createRequire } from "node:module";
import { join } from "node:path";
import { type EmbedderName, embedderNames } from "@caigun/embedding";
import { BaseRefused, openBase } from "@caigun/lora";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import { openFolderBlobs } from "../blobs/folder-blobs.ts";
import { BadSetting, type Config } from "../config.ts";
import { type BaseModel, type BaseOptions, baseNames, findBase } from "../engines/base-model.ts";
import { Embedding } from "../engines/embedding.ts";
import type { EncodingsKept } from "../engines/local-reader/messages.ts";
import { type EventChanges, openEventChanges } from "../jobs/event-changes.ts";
import { type Jobs, openJobs } from "../jobs/index.ts";
import { openStore, type Store } from "../store/index.ts";
import type { TrainingTools } from "../worker/train-model.ts";

export const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** A reason not to start that a person can do something about: the message says what. */
export class CannotStart extends Error {
  override name = "CannotStart";
}

/** What a server and a worker both stand on. */
export type Foundation = { store: Store; blobs: BlobStore; changes: EventChanges; jobs: Jobs };

/** Connections to the database: a request holds one for some milliseconds, a training for less. */
const MAX_CONNECTIONS = 12;
/** A training that fails for a passing reason is tried this often, the first time included. */
const MAX_ATTEMPTS = 4;

export function openDatabase(url: string, log: Logger): Store {
  return openStore(url, {
    maxConnections: MAX_CONNECTIONS,
    onError: (error) => log.error({ err: error }, "a database connection broke"),
  });
}

/** `alone`: no other process works on this database, so what looks held was left by one that is gone. */
export async function openFoundation(
  store: Store,
  folder: string,
  config: Config,
  log: Logger,
  { alone }: { alone: boolean },
): Promise<Foundation> {
  const blobs = await openFolderBlobs(config.blobFolder ?? join(folder, "blobs"));
  const changes = await openEventChanges(store);
  const jobs = await openJobs(store, { log, alone });
  return { store, blobs, changes, jobs };
}

/** The name of the installation's embedding model; undefined: it has none. Throws BadSetting. */
export function embedderOf({ embedder: name }: Config): EmbedderName | undefined {
  const embedder = embedderNames.find((known) => known === name);
  if (embedder === undefined && name !== "none")
    throw new BadSetting(`CAIGUN_EMBEDDER is "${name}": write one of ${[...embedderNames, "none"].join(", ")}.`);
  return embedder;
}

/** What `gpt2` is trained on here. Throws BadSetting. */
export function baseOptionsOf({ gpt2Base, weightsFolder, huggingFaceUrl, strictEngines }: Config): BaseOptions {
  const known = gpt2Base && "name" in gpt2Base ? baseNames.find((name) => name === gpt2Base.name) : undefined;
  if (gpt2Base && "name" in gpt2Base && known === undefined)
    throw new BadSetting(
      `CAIGUN_GPT2_BASE is "${gpt2Base.name}": write one of ${baseNames.join(", ")}, or a path, such as ./${gpt2Base.name}.`,
    );
  const choice = known === undefined ? (gpt2Base as { path: string } | undefined) : { name: known };
  return { choice, weightsFolder, fetch: { hubUrl: huggingFaceUrl }, strict: strictEngines };
}

export type BaseLook = {
  /** The base that comes first: the chosen one, or the first of CaiGun's own. */
  first: string;
  /** The one that is on this machine. */
  base?: BaseModel;
  /** Why the one that was chosen by its path can't be used. */
  refusal?: string;
};

/** Which base is there, as far as its file says what it is. Throws BadSetting. */
export async function lookAtBase(config: Config): Promise<BaseLook> {
  const options = baseOptionsOf(config);
  const first = options.choice && "name" in options.choice ? options.choice.name : baseNames[0];
  try {
    const base = findBase(options);
    if (!base) return { first };
    // Whose bytes these are is not asked here: that takes seconds.
    (await openBase(base.files, { digest: base.digest ?? "unknown" })).close();
    return { first, base };
  } catch (error) {
    if (error instanceof BaseRefused) return { first, refusal: error.message };
    throw error;
  }
}

/** The installation's embedding model. Throws BadSetting. */
export function openEmbedding(config: Config, log: Logger): Embedding {
  return new Embedding({
    embedder: embedderOf(config),
    weightsFolder: config.weightsFolder,
    fetch: { hubUrl: config.huggingFaceUrl },
    onUnavailable: (error) => log.warn({ err: error }, "texts are searched by their words alone for now"),
  });
}

/** Encoded passages of earlier trainings: what nobody has used for a week may be of a text that was deleted. */
export function encodingsKept(config: Config): EncodingsKept {
  const path = join(config.home, "cache", "encodings.sqlite");
  return { path, limits: { maxBytes: 1024 ** 3, maxAgeMs: 7 * 24 * 3_600_000 } };
}

export function trainingTools(
  { store, blobs, changes }: Foundation,
  workFolder: string,
  embedding: Embedding,
  config: Config,
  log: Logger,
): TrainingTools {
  return {
    store,
    blobs,
    changes,
    workFolder,
    heapMiB: config.trainingHeapMiB,
    embedding,
    embeddingThreads: config.embeddingThreads,
    base: baseOptionsOf(config),
    learningFolder: join(config.home, "learning"),
    encodings: encodingsKept(config),
    maxAttempts: MAX_ATTEMPTS,
    log,
  };
}
