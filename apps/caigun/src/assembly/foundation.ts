import { createRequire } from "node:module";
import { join } from "node:path";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import { openFolderBlobs } from "../blobs/folder-blobs.ts";
import type { Config } from "../config.ts";
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

export function trainingTools(
  { store, blobs, changes }: Foundation,
  workFolder: string,
  config: Config,
  log: Logger,
): TrainingTools {
  return {
    store,
    blobs,
    changes,
    workFolder,
    heapMiB: config.trainingHeapMiB,
    maxAttempts: MAX_ATTEMPTS,
    log,
  };
}
