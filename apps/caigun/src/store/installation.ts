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
