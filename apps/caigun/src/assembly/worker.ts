import { join } from "node:path";
import type { Logger } from "pino";
import type { Config } from "../config.ts";
import { readAnnouncement } from "../home/index.ts";
import { keepEncodingsPruned } from "../worker/prune-encodings.ts";
import { runWorker } from "../worker/run-worker.ts";
import { openWorkFolder } from "../worker/work-folder.ts";
import { CannotStart, openDatabase, openEmbedding, openFoundation, trainingTools } from "./foundation.ts";

/** How long a stop waits for a training before it hands it back, ms. */
const STOP_GRACE_MS = 10_000;

/**
 * A worker alone: beside a server on the same CAIGUN_HOME, or on another machine with the server's DATABASE_URL and
 * CAIGUN_BLOBS. Throws CannotStart.
 */
export async function openWorker(config: Config, log: Logger): Promise<{ close(): Promise<void> }> {
  const server = await readAnnouncement(config.home);
  const databaseUrl = config.databaseUrl ?? server?.databaseUrl;
  if (!databaseUrl)
    throw new CannotStart(
      `No server runs on ${config.home}. Start one with \`npm start\`, or set DATABASE_URL and CAIGUN_BLOBS to those of a server elsewhere.`,
    );
  if (!server && !config.blobFolder)
    throw new CannotStart(
      `No server runs on ${config.home}, so the texts are elsewhere: set CAIGUN_BLOBS to the folder that the server keeps them in.`,
    );
  await using opened = new AsyncDisposableStack();
  const workFolder = await openWorkFolder(join(config.home, "work"));
  opened.defer(() => workFolder.close());
  // Closed when no training waits for it any more: one that did would go on without vectors.
  const embedding = openEmbedding(config, log);
  opened.defer(() => embedding.close());
  const store = openDatabase(databaseUrl, log);
  opened.defer(() => store.close());
  const foundation = await openFoundation(store, config.home, config, log, { alone: false });
  opened.defer(() => foundation.changes.close());
  opened.defer(() => foundation.jobs.stop({ graceMs: STOP_GRACE_MS }));
  const tools = trainingTools(foundation, workFolder.path, embedding, config, log);
  await runWorker(foundation.jobs, tools, { concurrency: Math.max(1, config.trainings) });
  const closed = new AbortController();
  const pruning = keepEncodingsPruned(tools.encodings, { log }, closed.signal);
  opened.defer(() => {
    closed.abort();
    return pruning;
  });
  log.info({ trainings: Math.max(1, config.trainings) }, "worker started");
  const closing = opened.move();
  return { close: () => closing.disposeAsync() };
}
