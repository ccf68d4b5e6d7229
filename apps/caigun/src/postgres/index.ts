import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { DATABASE_USER, ensureCluster } from "./cluster.ts";
import { stopLeftover } from "./leftover.ts";
import { type Placement, place } from "./placement.ts";
import { logPath, logTail, spawnSupervised } from "./supervisor.ts";

export type PostgresOptions = {
  /** Where data, socket and log go, unless the user that PostgreSQL runs as can't reach it. */
  folder: string;
  password: string;
  /** A private folder with a short path for the socket, where the one above is too deep: XDG_RUNTIME_DIR. */
  runtimeFolder?: string | undefined;
  log: Log;
};
export type Log = { info(message: string): void; error(message: string): void };

export type Postgres = {
  url: string;
  /** Where the data really is. */
  data: string;
  /** Stops the database (a fast shutdown) and waits until it has ended. */
  close(): Promise<void>;
};

const POLL_MS = 5;
/** Recovery after a crash reads the log since the last checkpoint: seconds at most, but for a very slow disk. */
const START_LIMIT_MS = 300_000;
const RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
const INVALID_PASSWORD = "28P01";

/**
 * Starts PostgreSQL on a unix socket, with no TCP port, making its data the first time. Whatever a killed server left
 * running on the same data is stopped first. A database that dies is started again until close.
 */
export async function startPostgres({ folder, password, runtimeFolder, log }: PostgresOptions): Promise<Postgres> {
  const placement = place(folder, runtimeFolder);
  const { data, root, programs, socket, moved } = placement;
  if (moved.data) {
    log.info(`PostgreSQL does not run as root, and its user can't reach ${folder}: the data is in ${data}.`);
  }
  if (moved.programs) {
    log.info(`PostgreSQL's user can't reach its programs where npm put them: their copy in ${programs} is used.`);
  }
  await stopLeftover(data, programs);
  await ensureCluster(placement, password);
  // The host in the query is what counts; the one before it is there because a URL needs one.
  const url = `postgres://${DATABASE_USER}:${encodeURIComponent(password)}@localhost/postgres?host=${encodeURIComponent(socket)}&port=5432&sslmode=disable`;

  let closing = false;
  let supervisor = await startAndCheck(placement, url);
  const supervision = (async () => {
    while (!closing) {
      await exited(supervisor);
      for (let waitMs = RESTART_MS; !closing; waitMs = Math.min(waitMs * 2, LONGEST_RESTART_MS)) {
        log.error(`PostgreSQL ended unexpectedly (see ${logPath(root)}); it is started again.`);
        await delay(waitMs);
        try {
          await stopLeftover(data, programs);
          if (!closing) supervisor = await startAndCheck(placement, url);
          break;
        } catch (error) {
          log.error((error as Error).message);
        }
      }
    }
    supervisor.stdin?.end();
    await exited(supervisor);
    if (dirname(socket) !== root) await rmdir(socket).catch(() => {}); // Not empty: the database was killed.
  })();

  return {
    url,
    data,
    async close() {
      closing = true;
      supervisor.stdin?.end();
      await supervision;
    },
  };
}

/** Resolves when the database answers. Throws, with the end of its log, where it does not come up. */
async function startAndCheck(placement: Placement, url: string): Promise<ChildProcess> {
  const { root, data } = placement;
  const supervisor = spawnSupervised(placement);
  let failure: Error | undefined;
  supervisor.on("error", (error) => {
    failure = error;
  });
  supervisor.stdin?.on("error", () => {}); // It has ended: its exit says so.
  const end = performance.now() + START_LIMIT_MS;
  try {
    while (!isReady(data)) {
      if (failure) throw failure;
      if (supervisor.exitCode !== null || supervisor.signalCode !== null) {
        throw new Error(`PostgreSQL did not start. Its log ends: ${logTail(root)}`);
      }
      if (performance.now() > end) throw new Error(`PostgreSQL did not start in time. Its log ends: ${logTail(root)}`);
      await delay(POLL_MS);
    }
    await checkPassword(url, data);
  } catch (error) {
    supervisor.stdin?.end();
    await exited(supervisor);
    throw error;
  }
  return supervisor;
}

/** The postmaster writes its state into the last line of its file: "ready" when it takes connections. */
function isReady(data: string): boolean {
  try {
    return readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[7]?.trim() === "ready";
  } catch {
    return false;
  }
}

async function checkPassword(url: string, data: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, ssl: false });
  try {
    await client.connect();
  } catch (error) {
    if ((error as { code?: string }).code !== INVALID_PASSWORD) throw error;
    throw new Error(
      `The database in ${data} was made with another password than this home's secrets hold. Restore them from a backup.`,
      { cause: error },
    );
  } finally {
    await client.end();
  }
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) await once(child, "exit");
}
