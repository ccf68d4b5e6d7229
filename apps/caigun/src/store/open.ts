import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { StoreClient } from "./client.ts";
import { type Notified, openListener, type Unlisten } from "./listen.ts";
import type { Database, Db } from "./schema.ts";

export type Store = {
  db: Db;
  /** For the statements that are prepared by name, and for pg-boss. */
  pool: pg.Pool;
  /** Calls the handler for each NOTIFY on the channel; see listen.ts. */
  listen(channel: string, handler: Notified): Promise<Unlisten>;
  close(): Promise<void>;
};

export type StoreOptions = {
  maxConnections: number;
  /** Told of connections that broke while idle, which no query reports. */
  onError: (error: Error) => void;
};

const IDLE_CONNECTION_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Opens a pool on a PostgreSQL URL; connects when the first query comes. */
export function openStore(url: string, { maxConnections, onError }: StoreOptions): Store {
  const connection = { connectionString: url, application_name: "caigun", keepAlive: true };
  const pool = new pg.Pool({
    ...connection,
    Client: StoreClient,
    max: maxConnections,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  });
  pool.on("error", onError);
  const connections = new Map<pg.ClientBase, PromiseWithResolvers<void>>();
  pool.on("connect", (client) => connections.set(client, Promise.withResolvers()));
  pool.on("remove", (client) => {
    connections.get(client)?.resolve();
    connections.delete(client);
  });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  const listener = openListener(() => new StoreClient(connection), onError);
  return {
    db,
    pool,
    listen: listener.listen,
    async close() {
      await listener.close();
      const disconnected = [...connections.values()].map(({ promise }) => promise);
      await db.destroy();
      if (!pool.ended) await pool.end(); // Kysely leaves a pool alone that it never used.
      await Promise.all(disconnected); // The pool has ended before its connections have: wait, so that a database may stop next.
    },
  };
}

/** Runs the work in the transaction given, or in one of its own where the database itself was given. */
export function inTransaction<T>(db: Db, work: (trx: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work);
}
