import { join } from "node:path";
import { type FitName, fitNames } from "@caigun/reading";
import type { Logger } from "pino";
import { Gauge, Registry } from "prom-client";
import type { House } from "../commands/house.ts";
import { KeyUses } from "../commands/key-uses.ts";
import { createChatbot, listKeys, type NewKey, revealKey } from "../commands/keys.ts";
import { BadSetting, type Config } from "../config.ts";
import { Answering } from "../engines/local-reader/answering.ts";
import { AdapterWriters } from "../engines/lora/adapter-writers.ts";
import { Exporting } from "../engines/lora/exporting.ts";
import { closeWriters, LOCAL, openWriters } from "../engines/writers/open-writers.ts";
import { type Home, openHome } from "../home/index.ts";
import { largestBodyBytes } from "../http/body.ts";
import type { ServerConfig } from "../http/ports.ts";
import { createServer } from "../http/server.ts";
import { secretFingerprint } from "../keys/index.ts";
import { startPostgres } from "../postgres/index.ts";
import {
  createAccount,
  findDefaultChatbot,
  findFirstAccount,
  isDatabaseUnavailable,
  migrate,
  rememberFirstKeyShown,
  rememberSecretFingerprint,
  wasFirstKeyShown,
} from "../store/index.ts";
import { maintain, putInOrder } from "../worker/maintenance.ts";
import { keepEncodingsPruned } from "../worker/prune-encodings.ts";
import { runWorker } from "../worker/run-worker.ts";
import { openWorkFolder } from "../worker/work-folder.ts";
import { apiCommands, apiPorts } from "./api.ts";
import { configuredWriters as writersOf } from "./configured-writers.ts";
import {
  baseOptionsOf,
  CannotStart,
  openDatabase,
  openEmbedding,
  openFoundation,
  trainingTools,
  version,
} from "./foundation.ts";

export type RunningServer = {
  url: string;
  dataFolder: string;
  /** The first chatbot's key, until `firstKeyShown` has been called. */
  firstKey: NewKey | undefined;
  /** From now on no start shows that key again. */
  firstKeyShown(): Promise<void>;
  close(): Promise<void>;
};

/** How long a stop waits for what runs before it hands it back, ms. */
const STOP_GRACE_MS = 10_000;

/**
 * Puts the rooms together into a server. What is open closes in the reverse order, also where the start fails half-way.
 * Throws HomeBusy, BadSetting, CannotStart, or what the database says.
 */
export async function openServer(config: Config, log: Logger): Promise<RunningServer> {
  await using opened = new AsyncDisposableStack();
  const home = await openHome(config.home);
  opened.defer(() => home.close());
  const workFolder = await openWorkFolder(join(home.folder, "work"));
  opened.defer(() => workFolder.close());
  // Closed when no training waits for it any more: one that did would go on without vectors.
  const embedding = openEmbedding(config, log);
  opened.defer(() => embedding.close());

  const databaseUrl = config.databaseUrl ?? (await embeddedDatabase(home, log, opened, config.runtimeFolder));
  const store = openDatabase(databaseUrl, log);
  opened.defer(() => store.close());
  await migrate(store).catch(explainDatabase);
  const sealingKey = config.encryptionKey ?? (await home.secret("encryption-key"));
  if (!(await rememberSecretFingerprint(store.db, secretFingerprint(sealingKey)))) throw new WrongEncryptionKey();

  // A database and blobs of this home's own: whoever else used them is gone with the home's last holder.
  const alone = !config.databaseUrl && !config.blobFolder;
  const foundation = await openFoundation(store, home.folder, config, log, { alone });
  opened.defer(() => foundation.changes.close());
  opened.defer(() => foundation.jobs.stop({ graceMs: STOP_GRACE_MS }));
  const { blobs } = foundation;
  await putInOrder({ store, blobs, log }, { alone });

  const answering = new Answering({
    children: config.answeringProcesses,
    heapMiB: config.answeringHeapMiB,
    timeoutMs: 30_000,
    maxWaiting: 1_000,
    fit: fitOf(config),
    embedding,
  });
  opened.defer(() => answering.close());
  const exporting = new Exporting({ base: baseOptionsOf(config), workFolder: workFolder.path });
  opened.defer(() => exporting.close());
  const writers = openWriters(config.writers);
  opened.defer(() => closeWriters(writers));
  const adapterWriters = new AdapterWriters(baseOptionsOf(config), LOCAL, config.gpt2Sampling);
  opened.defer(() => adapterWriters.close());
  const { strictEngines } = config;
  const configuredWriters = new Set<string>(writers.keys());
  const house: House = {
    ...foundation,
    answering,
    exporting,
    sealingKey,
    configuredWriters,
    writers,
    adapterWriters,
    strictEngines,
    log,
  };
  const firstKey = await unseenFirstKey(house);

  const tools = trainingTools(foundation, workFolder.path, embedding, config, log);
  if (config.trainings > 0) await runWorker(foundation.jobs, tools, { concurrency: config.trainings });
  const maintaining = new AbortController();
  const maintenance = maintain({ store, blobs, log }, maintaining.signal);
  const pruning = keepEncodingsPruned(tools.encodings, { log }, maintaining.signal);
  opened.defer(async () => {
    maintaining.abort();
    await Promise.all([maintenance, pruning]);
  });

  const keyUses = new KeyUses(store, log);
  opened.defer(() => keyUses.close());
  const server = createServer({
    commands: apiCommands(house),
    ...apiPorts(house, keyUses),
    config: serverConfig(config),
    log,
    metrics: metricsOf(house),
  });
  opened.defer(() => server.close({ graceMs: STOP_GRACE_MS }));
  const { url } = await server.listen().catch((error: unknown) => {
    throw whyNoPort(error, config.port);
  });
  const { gpt2Base = null, embedder, weightsFolder } = config;
  const weights = { gpt2Base, embedder, weightsFolder, strictEngines };
  await home.announce({ url, pid: process.pid, databaseUrl, writers: writersOf(config), weights });

  const closing = opened.move();
  return {
    url: config.publicUrl ?? url,
    dataFolder: home.folder,
    firstKey,
    firstKeyShown: () => rememberFirstKeyShown(store.db),
    close: () => closing.disposeAsync(),
  };
}

function fitOf({ readingWeights }: Config): FitName {
  const fit = fitNames.find((name) => name === readingWeights);
  if (!fit) throw new BadSetting(`CAIGUN_READING_WEIGHTS is "${readingWeights}": write one of ${fitNames.join(", ")}.`);
  return fit;
}

/** The failure to listen as a person can mend it, where they can. */
export function whyNoPort(error: unknown, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return new CannotStart(`Port ${port} is in use; stop what uses it, or set PORT.`, { cause: error });
  if (code === "EACCES")
    return new CannotStart(`Port ${port} needs more rights than this user has; set PORT to one above 1023.`, {
      cause: error,
    });
  return error;
}

class WrongEncryptionKey extends CannotStart {
  override name = "WrongEncryptionKey";
  constructor() {
    super(
      "The database belongs to another encryption key: what it seals could not be read. Set CAIGUN_ENCRYPTION_KEY to " +
        "the key it was made with, or restore secrets/encryption-key below CAIGUN_HOME.",
    );
  }
}

/** Throws a sentence for a database that can't be used as it was given; its URL may hold a password, and is not shown. */
function explainDatabase(error: unknown): never {
  const { code = "", message } = error as { code?: string; message: string };
  if (isDatabaseUnavailable(error))
    throw new CannotStart(
      `The database can't be reached (${code || message}). Check DATABASE_URL, and that the database runs and lets this machine in.`,
      { cause: error },
    );
  // Classes 28 (who asks) and 3D (for which database) of PostgreSQL's error codes.
  if (/^(28|3D)/.test(code))
    throw new CannotStart(`The database refuses: ${message}. Check DATABASE_URL.`, { cause: error });
  throw error;
}

async function embeddedDatabase(
  home: Home,
  log: Logger,
  opened: AsyncDisposableStack,
  runtimeFolder: string | undefined,
) {
  const postgres = await startPostgres({
    folder: join(home.folder, "postgres"),
    password: (await home.secret("postgres-password")).toString("base64url"),
    runtimeFolder,
    log: { info: (message) => log.info(message), error: (message) => log.error(message) },
  }).catch((error: Error) => {
    throw new CannotStart(error.message, { cause: error });
  });
  opened.defer(() => postgres.close());
  return postgres.url;
}

/**
 * The key of the first chatbot, which is made with the owner's account where the database has none yet. A start that was
 * killed may have made it and not shown it: then it is shown now.
 */
async function unseenFirstKey(house: House): Promise<NewKey | undefined> {
  const { db } = house.store;
  const account = (await findFirstAccount(db)) ?? (await createAccount(db, { name: "owner" }));
  const chatbot = await findDefaultChatbot(db, account.id);
  if (!chatbot) return createChatbot(house, account.id, "My chatbot");
  if (await wasFirstKeyShown(db)) return undefined;
  const first = (await listKeys(house, chatbot.id)).at(-1);
  return first && { keyId: first.id, name: first.name, apiKey: revealKey(house, first) };
}

function serverConfig(config: Config): ServerConfig {
  return {
    host: config.host,
    port: config.port,
    ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
    version,
    maxTextBytes: config.maxTextBytes,
    // A key may hold a quarter of it, which is room for one body of the largest size.
    maxBodyBytesInFlight: 4 * largestBodyBytes(config.maxTextBytes),
    rateLimitPerMinute: config.rateLimitPerMinute,
    maxConnections: 10_000,
    headersTimeoutMs: 20_000,
    requestTimeoutMs: 120_000,
    keepAliveTimeoutMs: 72_000,
    heartbeatMs: 15_000,
    trustProxy: config.trustProxy,
  };
}

function metricsOf({ answering }: House): Registry {
  const registers = [new Registry()];
  new Gauge({
    name: "caigun_questions_waiting",
    help: "Questions that have no reply yet.",
    registers,
    collect() {
      this.set(answering.waiting);
    },
  });
  return registers[0]!;
}
