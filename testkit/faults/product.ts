import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { type Announcement, readAnnouncement } from "../../apps/caigun/src/home/index.ts";
import { makeHome, nothingFetched, program, type RunningCaigun, startCaigun } from "../caigun.ts";
import { type ProcessFacts, processesOf } from "../processes.ts";
import { installHolds } from "./database-holds.ts";
import { eventually } from "./eventually.ts";

export type Role = "answering" | "training" | "learning";

export type ProductOptions = {
  /** The command line to run: this project's unless given. */
  command?: string[];
  /** Whether trainings are left to a `caigun worker` beside the server. */
  separateWorker?: boolean;
  env?: Record<string, string>;
};

/** How long a product may take to serve again after a kill, ms. */
const RECOVERY_LIMIT_MS = 60_000;
const MODULE_OF: Record<Role, string> = {
  answering: "answer-child.ts",
  training: "build-child.ts",
  learning: "learn-child.ts",
};

/** A CaiGun with its embedded database, watched and killed from outside. */
export class Product {
  readonly home: string;
  readonly apiKey: string;
  server: RunningCaigun;
  worker: ChildProcess | undefined;
  databaseUrl = "";
  #options: ProductOptions;
  #observer: { url: string; client: pg.Client } | undefined;

  private constructor(server: RunningCaigun, options: ProductOptions) {
    this.server = server;
    this.home = server.home;
    this.apiKey = server.apiKey;
    this.#options = options;
  }

  /** Starts one in a new home. */
  static async start(options: ProductOptions = {}): Promise<Product> {
    const product = new Product(await startServer(await makeHome(), options), options);
    await product.#readAnnouncement();
    await product.withDatabase(installHolds);
    if (options.separateWorker) await product.startWorker();
    return product;
  }

  get hasSeparateWorker(): boolean {
    return this.#options.separateWorker ?? false;
  }

  async restartServer(): Promise<void> {
    this.server = await startServer(this.home, this.#options);
    await this.#readAnnouncement();
  }

  async startWorker(): Promise<ChildProcess> {
    const [executable, ...args] = this.#options.command ?? [process.execPath, program];
    const worker = spawn(executable!, [...args, "worker"], {
      env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: this.home, ...nothingFetched, ...this.#options.env },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const started = Promise.withResolvers<void>();
    createInterface({ input: worker.stderr! }).on("line", (line) => {
      if (line.includes("worker started")) started.resolve();
    });
    worker.once("exit", () => started.reject(new Error("The worker ended before it had started.")));
    await started.promise;
    this.worker = worker;
    return worker;
  }

  /** Resolves when every part of it that answers does so. */
  async untilReady(): Promise<void> {
    await eventually("the server is ready", RECOVERY_LIMIT_MS, async () => {
      const response = await this.server.call("/readyz").catch(() => undefined);
      return response?.status === 200;
    });
  }

  /** The children of that role, of the server and of the worker beside it. */
  async children(role: Role): Promise<number[]> {
    const family = await this.family();
    return family.filter(({ command }) => command.includes(MODULE_OF[role])).map(({ pid }) => pid);
  }

  /** Server, worker, and all that they have started. */
  async family(): Promise<ProcessFacts[]> {
    const roots = [this.server.process.pid!, ...(this.worker?.pid ? [this.worker.pid] : [])];
    return (await Promise.all(roots.map(processesOf))).flat();
  }

  async postmaster(): Promise<number> {
    const [row] = await this.query<{ data_directory: string }>("show data_directory");
    return Number((await readFile(join(row!.data_directory, "postmaster.pid"), "utf8")).split("\n")[0]);
  }

  /** The database's processes that serve the product. */
  async backends(): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'caigun'",
    );
    return rows.map(({ pid }) => pid);
  }

  /** Asks the database itself, past the product; on a new connection where the last one has broken. */
  async query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    if (this.#observer?.url !== this.databaseUrl) this.#observer = undefined;
    this.#observer ??= { url: this.databaseUrl, client: await this.connect() };
    const { client } = this.#observer;
    try {
      return (await client.query<Row>(text, values)).rows;
    } catch {
      this.#observer = undefined;
      await client.end().catch(() => {});
      return this.withDatabase(async (fresh) => (await fresh.query<Row>(text, values)).rows);
    }
  }

  async withDatabase<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  /** A connection that outlives the database: its end is no error of ours. */
  async connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.databaseUrl, application_name: "fault-harness" });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  /** Stops all of it as Ctrl-C does; the home stays. */
  async stop(): Promise<void> {
    if (isRunning(this.worker)) {
      this.worker.kill("SIGTERM");
      await once(this.worker, "exit");
    }
    this.worker = undefined;
    await this.#observer?.client.end().catch(() => {});
    this.#observer = undefined;
    if (isRunning(this.server.process)) await this.server.stop();
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.home, { recursive: true, force: true });
  }

  async #readAnnouncement(): Promise<void> {
    this.databaseUrl = ((await readAnnouncement(this.home)) as Announcement).databaseUrl;
  }
}

export function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

function startServer(home: string, { command, separateWorker, env }: ProductOptions): Promise<RunningCaigun> {
  return startCaigun({
    home,
    ...(command ? { command: [command[0]!, ...command.slice(1), "serve"] } : {}),
    // One process that answers, so that it is known which one has the question.
    env: { CAIGUN_ANSWERING_PROCESSES: "1", CAIGUN_TRAININGS: separateWorker ? "0" : "1", ...env },
  });
}
