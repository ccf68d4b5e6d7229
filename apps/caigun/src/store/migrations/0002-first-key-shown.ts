import { type Kysely, sql } from "kysely";

/** A server can die between making the first chatbot's key and printing it: the next one has to know. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table installation add column first_key_shown_at timestamptz(3)`.execute(db);
}
