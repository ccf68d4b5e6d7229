import { CompiledQuery } from "kysely";
import { type ConstructorOptions, PgBoss } from "pg-boss";
import type { Db, Store } from "../store/index.ts";

type Database = NonNullable<ConstructorOptions["db"]>;

/** pg-boss keeps its tables in a schema of its own, beside ours in the same database. */
export const SCHEMA = "pgboss";

/** How often lost jobs are looked for, and how long a job waits at most where its notification is lost. */
const SUPERVISE_SECONDS = 3;
export const POLL_SECONDS = 2;

const OPTIONS: ConstructorOptions = {
  schema: SCHEMA,
  useListenNotify: true,
  superviseIntervalSeconds: SUPERVISE_SECONDS,
  monitorIntervalSeconds: SUPERVISE_SECONDS,
  // Not used here, so not run: cron schedules, job graphs, an instance registry, warnings about other databases.
  schedule: false,
  flowIntervalSeconds: 3600,
  registerInstance: false,
  monitorVacuum: false,
  persistWarnings: false,
  persistQueueStats: false,
  openTelemetry: { enabled: false },
};

/** pg-boss on the store's own pool and on its listening connection. */
export function newBoss(store: Store): PgBoss {
  const db: Database = {
    executeSql: (text, values) => store.pool.query(text, values),
    async listen(channel, onNotification, onReconnect) {
      const unlisten = await store.listen(channel, (payload) =>
        payload === null ? onReconnect() : onNotification(payload),
      );
      return { close: async () => unlisten() };
    },
  };
  return new PgBoss({ ...OPTIONS, db });
}

/** Runs pg-boss's statements in the caller's transaction. */
export function within(trx: Db): Database {
  return {
    async executeSql(text, values = []) {
      const { rows } = await trx.executeQuery(CompiledQuery.raw(text, values as unknown[]));
      return { rows };
    },
  };
}
