import { type Kysely, sql } from "kysely";

/**
 * Questions that a chatbot's texts did not answer, grouped, and the corrections that owners write to them. A correction
 * is training data that outlives its group; one that a later one replaced is left to the models that hold it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
create table unanswered (
  id uuid primary key,
  chatbot_id uuid not null references chatbot (id),
  wordings text[] not null,
  terms text[] not null,
  terms_digest bytea not null,
  count integer not null default 1,
  closest json not null,
  created_at timestamptz(3) not null default now(),
  last_asked_at timestamptz(3) not null,
  answered_at timestamptz(3),
  unique (chatbot_id, terms_digest)
);
create index unanswered_terms on unanswered using gin (terms);
create index unanswered_most_asked on unanswered (chatbot_id, count desc, last_asked_at desc, id desc)
  where answered_at is null;

alter table training_data add column corrects uuid, add column replaced_at timestamptz(3);
create index training_data_corrections on training_data (chatbot_id, created_at, id)
  where corrects is not null and replaced_at is null and deleted_at is null;
`)
    .execute(db);
}
