import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { ChatbotId } from "./ids.ts";
import type { Db } from "./schema.ts";

export type StoredReply = { status: number; contentType: string; body: string };
export type Begun =
  /** Run the request, and finish or abandon it under this claim. */
  | { state: "new"; claim: number }
  /** Another request with this key runs; ask again. */
  | { state: "running" }
  /** The key was used with other parameters. */
  | { state: "mismatch" }
  | ({ state: "done" } & StoredReply);

/** A request that runs longer than this counts as one whose server died. */
const LEASE_MS = 60_000;

const keyDigest = (key: string) => createHash("sha256").update(key, "utf16le").digest();

/**
 * Begins a request that must happen once. The row is committed before the request runs, so call it outside of the
 * request's transaction. The fingerprint stands for the request's parameters; the reply is kept for ttlMs.
 */
export async function beginIdempotent(
  db: Db,
  chatbotId: ChatbotId,
  key: string,
  fingerprint: string,
  ttlMs: number,
  leaseMs: number = LEASE_MS,
): Promise<Begun> {
  const digest = keyDigest(key);
  // Inserts the row, or takes it over where it has expired or its holder did not end within its lease.
  const taken = await sql<{ claim: number }>`
    insert into idempotent_request as held (chatbot_id, key_digest, fingerprint, lease_until, expires_at)
    values (${chatbotId}, ${digest}, ${fingerprint}, now() + ${leaseMs} * interval '1 millisecond',
      now() + ${ttlMs} * interval '1 millisecond')
    on conflict (chatbot_id, key_digest) do update set
      fingerprint = excluded.fingerprint, lease_until = excluded.lease_until, expires_at = excluded.expires_at,
      claim = held.claim + 1, status = null, content_type = null, body = null
    where held.expires_at <= now()
      or (held.status is null and held.lease_until <= now() and held.fingerprint = excluded.fingerprint)
    returning claim`.execute(db);
  if (taken.rows[0]) return { state: "new", claim: taken.rows[0].claim };
  const row = await db
    .selectFrom("idempotent_request")
    .select(["fingerprint", "status", "content_type as contentType", "body"])
    .where("chatbot_id", "=", chatbotId)
    .where("key_digest", "=", digest)
    .executeTakeFirst();
  if (!row) return { state: "running" }; // Abandoned between the two statements: asking again begins it.
  if (row.fingerprint !== fingerprint) return { state: "mismatch" };
  if (row.status === null) return { state: "running" };
  return { state: "done", status: row.status, contentType: row.contentType ?? "", body: row.body ?? "" };
}

/**
 * Keeps the reply, in the request's own transaction where it has one, so that the reply stands exactly where its rows
 * do. False: another request took the key over meanwhile, and this one must roll back.
 */
export async function finishIdempotent(
  db: Db,
  chatbotId: ChatbotId,
  key: string,
  claim: number,
  { status, contentType, body }: StoredReply,
): Promise<boolean> {
  const finished = await db
    .updateTable("idempotent_request")
    .set({ status, content_type: contentType, body })
    .where("chatbot_id", "=", chatbotId)
    .where("key_digest", "=", keyDigest(key))
    .where("claim", "=", claim)
    .where("status", "is", null)
    .executeTakeFirst();
  return finished.numUpdatedRows > 0n;
}

/** Frees the key of a request that was refused, so that the same key may be sent again. */
export async function abandonIdempotent(db: Db, chatbotId: ChatbotId, key: string, claim: number): Promise<void> {
  await db
    .deleteFrom("idempotent_request")
    .where("chatbot_id", "=", chatbotId)
    .where("key_digest", "=", keyDigest(key))
    .where("claim", "=", claim)
    .where("status", "is", null)
    .execute();
}

/**
 * Frees the keys of requests that ended with their server, so that the same keys need not wait for the leases' ends.
 * For a server that knows itself to be the only one; a query of maintenance. Returns how many.
 */
export async function releaseIdempotent(db: Db): Promise<number> {
  const released = await db.deleteFrom("idempotent_request").where("status", "is", null).executeTakeFirst();
  return Number(released.numDeletedRows);
}

/** Removes what is kept no longer, whoever owns it; returns how many. A query of maintenance. */
export async function removeExpiredIdempotent(db: Db, now: Date): Promise<number> {
  const removed = await db.deleteFrom("idempotent_request").where("expires_at", "<=", now).executeTakeFirst();
  return Number(removed.numDeletedRows);
}
