import { type Kysely, sql } from "kysely";

/**
 * A model of a language-model engine has an adapter beside its index, and what is told of it. An event says in what its
 * work consists just now, such as the step of a training. A reply may also be worded by the model's own adapter.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
alter table model add column adapter_digest text, add column adapter_bytes bigint, add column adapter json;
alter table event add column adapter_digest text, add column learning json
`)
    .execute(db);
}
