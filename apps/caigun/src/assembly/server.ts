import { join } from "node:path";
import type { Logger } from "pino";
import { Gauge, Registry } from "prom-client";
import { listConversations, listMessages } from "../commands/conversations.ts";
import { converse } from "../commands/converse.ts";
import { followEvent } from "../commands/follow-event.ts";
import type { House } from "../commands/house.ts";
import { authenticate, createChatbot, KeyUses, type NewKey } from "../commands/keys.ts";
import { cancelTraining, deleteModel, getModel, listModels, pinModel } from "../commands/models.ts";
import { startTraining } from "../commands/start-training.ts";
import { getTrainingDataText } from "../commands/training-data.ts";
import type { Config } from "../config.ts";
import { Answering } from "../engines/local-reader/answering.ts";
import { type Home, openHome } from "../home/index.ts";
import { createServer } from "../http/index.ts";
import { secretFingerprint } from "../keys/index.ts";
import { startPostgres } from "../postgres/index.ts";
import { createAccount, findFirstAccount, migrate, rememberSecretFingerprint, type Store } from "../store/index.ts";
import { maintain, putInOrder } from "../worker/maintenance.ts";
import { runWorker } from "../worker/run-worker.ts";
import { openWorkFolder } from "../worker/work-folder.ts";
import { openDatabase, openFoundation, trainingTools } from "./foundation.ts";

export type RunningServer = {
  url: string;
  dataFolder: string;
  /** There on the first start: the chatbot that it made, with its key. */
  firstChatbot: NewKey | undefined;
  close(): Promise<void>;
};

/** How long a stop waits for what runs before it hands it back, ms. */
const STOP_GRACE_MS = 10_000;

/**
 * Puts the rooms together into a server. What is open closes in the reverse order, also where the start fails half-way.
 * Throws HomeBusy, BadSetting, or what the database or the port say.
 */
export async function openServer(config: Config, log: Logger): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack();
  const home = await openHome(config.home);
  opened.defer(() => home.close());

  const databaseUrl = config.databaseUrl ?? (await embeddedDatabase(home, log, opened));
  const store = openDatabase(databaseUrl, log);
  opened.defer(() => store.close());
  await migrate(store);
  const sealingKey = config.encryptionKey ?? (await home.secret("encryption-key"));
  if (!(await rememberSecretFingerprint(store.db, secretFingerprint(sealingKey)))) throw new WrongEncryptionKey();

  const foundation = await openFoundation(store, home.folder, config, log);
  opened.defer(() => foundation.changes.close());
  opened.defer(() => foundation.jobs.stop({ graceMs: STOP_GRACE_MS }));
  const { blobs } = foundation;
  await putInOrder({ store, blobs, log }, { isAlone: !config.databaseUrl && !config.blobFolder });

  const answering = new Answering({
    children: config.answeringProcesses,
    heapMiB: config.answeringHeapMiB,
    timeoutMs: 30_000,
    maxWaiting: 1_000,
  });
  opened.defer(() => answering.close());
  const house: House = { ...foundation, answering, sealingKey, log };
  const firstChatbot = await makeFirstChatbot(house);

  const workFolder = await openWorkFolder(join(home.folder, "work"));
  const tools = { ...trainingTools(foundation, config, log), workFolder };
  if (config.trainings > 0) await runWorker(foundation.jobs, tools, { concurrency: config.trainings });
  const maintaining = new AbortController();
  const maintenance = maintain({ store, blobs, log }, maintaining.signal);
  opened.defer(() => {
    maintaining.abort();
    return maintenance;
  });

  const server = await createServer({ ...ports(house), config: serverConfig(config), log, metrics: metricsOf(house) });
  opened.defer(() => server.close());
  await home.announce({ url: server.url, pid: process.pid, databaseUrl });

  const closing = opened.move();
  return { url: config.publicUrl ?? server.url, dataFolder: home.folder, firstChatbot, close: () => closing.disposeAsync() };
}
