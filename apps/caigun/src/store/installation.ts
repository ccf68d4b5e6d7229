import { sql } from "kysely";
import type { Db } from "./schema.ts";

/**
 * Binds the database to the encryption key with this fingerprint, the first time; false where it is bound to another
 * key, with which this server could read nothing that was sealed.
 */
export async function rememberSecretFingerprint(db: Db, fingerprint: string): Promise<boolean> {
  await db
    .insertInto("installation")
    .values({ secret_fingerprint: fingerprint })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { secret_fingerprint } = await db
    .selectFrom("installation")
    .select("secret_fingerprint")
    .executeTakeFirstOrThrow();
  return secret_fingerprint === fingerprint;
}

/** Whether somebody has been shown the first chatbot's key. */
export async function wasFirstKeyShown(db: Db): Promise<boolean> {
  const { first_key_shown_at } = await db
    .selectFrom("installation")
    .select("first_key_shown_at")
    .executeTakeFirstOrThrow();
  return first_key_shown_at !== null;
}

export async function rememberFirstKeyShown(db: Db): Promise<void> {
  await db.updateTable("installation").set({ first_key_shown_at: sql`now()` }).execute();
}
