import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import pg from "pg";
import { startPostgres } from "../apps/caigun/src/postgres/index.ts";
import { migrate, openStore, type Store } from "../apps/caigun/src/store/index.ts";
import { newClusterFolder } from "./cluster-folder.ts";
import { findInstalledPostgres, startInstalledPostgres } from "./installed-postgres.ts";

export type Databases = {
  /** A new, migrated database's URL; it goes with the cluster. */
  newUrl(): Promise<string>;
  /** A store on a new, migrated database; closed after the suite unless it was closed before. */
  newStore(): Promise<Store>;
  /** The URL of a new, empty database. */
  newEmptyUrl(): Promise<string>;
};
type Cluster = { url: string; close(): Promise<void> };

const TEMPLATE = "migrated_template";
/** Of each test's store, so that several tests at once stay below the cluster's limit. */
const CONNECTIONS = 3;
const TESTS_AT_ONCE = 4;
const silent = { info() {}, error() {} };

/**
 * Databases for the suite in which this is called: an embedded cluster of this process's own, so that files run in
 * parallel and share nothing, and one database for each caller, cloned from a migrated template (some 30 ms).
 */
export function useDatabases(start: () => Promise<Cluster> = startEmbedded): Databases {
  let cluster: Cluster | undefined;
  const stores = new Set<Store>();

  before(async () => {
    cluster = await start();
    await asOwner((client) => client.query(`create database ${TEMPLATE}`));
    const store = openStore(withDatabase(cluster.url, TEMPLATE), { maxConnections: 1, onError: rethrow });
    await migrate(store);
    await store.close();
  });
  after(async () => {
    for (const store of stores) await store.close();
    await cluster?.close();
  });

  async function asOwner(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
    const client = new pg.Client({ connectionString: cluster!.url });
    await client.connect();
    await work(client);
    await client.end();
  }
  async function create(template: string): Promise<string> {
    const name = `test_${randomBytes(6).toString("hex")}`;
    await asOwner((client) => client.query(`create database ${name} template ${template}`));
    return withDatabase(cluster!.url, name);
  }
  return {
    newUrl: () => create(TEMPLATE),
    newEmptyUrl: () => create("template0"),
    async newStore() {
      const store = openStore(await create(TEMPLATE), { maxConnections: CONNECTIONS, onError: rethrow });
      stores.add(store);
      return {
        ...store,
        async close() {
          stores.delete(store);
          await store.close();
        },
      };
    },
  };
}

/** Registers the suite once for each kind of database that CaiGun runs on. */
export function describeOnEachBackend(title: string, suite: (databases: Databases) => void): void {
  describe(`${title}, embedded PostgreSQL`, { concurrency: TESTS_AT_ONCE }, () => suite(useDatabases()));
  const installed = findInstalledPostgres();
  if (installed) {
    describe(`${title}, PostgreSQL ${installed.version} over TCP`, { concurrency: TESTS_AT_ONCE }, () =>
      suite(useDatabases(() => startInstalledPostgres(installed))),
    );
  } else if (process.env.CAIGUN_TEST_COMPLETE === "1") {
    test(`${title}, a PostgreSQL server of the system's`, () => {
      throw new Error("CAIGUN_TEST_COMPLETE is set, and no PostgreSQL server is installed.");
    });
  } else {
    console.log(`${title}: no PostgreSQL server is installed on this system, so this runs on the embedded one alone.`);
  }
}

async function startEmbedded(): Promise<Cluster> {
  const folder = await newClusterFolder();
  const postgres = await startPostgres({ folder: join(folder, "postgres"), password: "test", log: silent });
  return {
    url: postgres.url,
    async close() {
      await postgres.close();
      await rm(dirname(postgres.data), { recursive: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function withDatabase(url: string, name: string): string {
  return url.replace("/postgres?", `/${name}?`);
}

function rethrow(error: Error): never {
  throw error;
}
