import { sql } from "kysely";
import { type AccountId, type ChatbotId, uuidOrNil } from "./ids.ts";
import type { Db } from "./schema.ts";

export type NewApiKey = { id: string; name: string; hint: string; digest: Buffer; sealed: Buffer };
export type ApiKey = {
  id: string;
  name: string;
  hint: string;
  sealed: Buffer;
  createdAt: Date;
  lastUsedAt: Date | null;
};
export type KeyHolder = { keyId: string; chatbotId: ChatbotId; accountId: AccountId };

export async function insertKey(db: Db, chatbotId: ChatbotId, key: NewApiKey): Promise<void> {
  await db
    .insertInto("api_key")
    .values({ ...key, chatbot_id: chatbotId })
    .execute();
}

/** The keys that work, newest first. */
export async function listKeys(db: Db, chatbotId: ChatbotId): Promise<ApiKey[]> {
  return db
    .selectFrom("api_key")
    .select(["id", "name", "hint", "sealed", "created_at as createdAt", "last_used_at as lastUsedAt"])
    .where("chatbot_id", "=", chatbotId)
    .where("revoked_at", "is", null)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

/** From the moment this returns, the key finds no holder on any machine. False: the chatbot has no such live key. */
export async function revokeKey(db: Db, chatbotId: ChatbotId, id: string): Promise<boolean> {
  const revoked = await db
    .updateTable("api_key")
    .set({ revoked_at: sql`now()` })
    .where("chatbot_id", "=", chatbotId)
    .where("id", "=", uuidOrNil(id))
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return revoked.numUpdatedRows > 0n;
}

/** Writes down when keys were last used, many at once: a request must not wait for it. Never moves a time back. */
export async function touchKeys(db: Db, uses: readonly { keyId: string; at: Date }[]): Promise<void> {
  if (uses.length === 0) return;
  const latest = new Map<string, Date>();
  for (const { keyId, at } of uses) if (!(latest.get(keyId)! >= at)) latest.set(keyId, at);
  await sql`
    update api_key set last_used_at = greatest(last_used_at, used.at)
    from unnest(${[...latest.keys()]}::uuid[], ${[...latest.values()]}::timestamptz[]) as used (id, at)
    where api_key.id = used.id`.execute(db);
}
