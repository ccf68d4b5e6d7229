import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import * as foundation from "./migrations/0001-foundation.ts";
import * as firstKeyShown from "./migrations/0002-first-key-shown.ts";
import * as settings from "./migrations/0003-settings.ts";
import * as unanswered from "./migrations/0004-unanswered.ts";
import * as adapters from "./migrations/0005-adapters.ts";
import type { Store } from "./open.ts";

/** In the order in which they run; a name that was released never changes. */
const migrations = {
  "0001-foundation": foundation,
  "0002-first-key-shown": firstKeyShown,
  "0003-settings": settings,
  "0004-unanswered": unanswered,
  "0005-adapters": adapters,
};

/** Any fixed number will do: it names this lock among the database's advisory locks ("caigun" in ASCII). */
const MIGRATION_LOCK = 0x63616967756e;

/**
 * Brings the database to this program's schema; servers that start together take turns.
 * Throws where the database is not UTF-8, or was migrated by a newer program.
 */
export async function migrate(store: Store): Promise<void> {
  await store.db.connection().execute(async (db) => {
    const encoding = await sql<{ server_encoding: string }>`show server_encoding`.execute(db);
    const name = encoding.rows[0]?.server_encoding;
    if (name !== "UTF8") {
      throw new Error(`The database's encoding is ${name}; CaiGun needs UTF8: create it with ENCODING 'UTF8'.`);
    }
    await sql`select pg_advisory_lock(${MIGRATION_LOCK}::bigint)`.execute(db);
    try {
      const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
      const { error } = await migrator.migrateToLatest();
      if (/previously executed migration .* is missing/.test((error as Error | undefined)?.message ?? "")) {
        throw new Error("This database belongs to a newer CaiGun: start that one, or restore a backup of before it.", {
          cause: error,
        });
      }
      if (error) throw error;
    } finally {
      await sql`select pg_advisory_unlock(${MIGRATION_LOCK}::bigint)`.execute(db);
    }
  });
}
