import { type Kysely, sql } from "kysely";

/** On the chatbot's own row, which every question reads anyway. A writer that is null is the server's default. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
alter table chatbot
  add column strictness text not null default 'normal' check (strictness in ('low', 'normal', 'high')),
  add column quality text not null default 'best' check (quality in ('fast', 'best')),
  add column refusal text,
  add column stay_local boolean not null default false,
  add column writer text check (writer in ('none', 'google', 'openai', 'gguf'))
`)
    .execute(db);
}
