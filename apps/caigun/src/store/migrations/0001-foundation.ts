import { type Kysely, sql } from "kysely";

/**
 * Everything below a chatbot carries its chatbot_id in every foreign key, so that a row of one owner cannot point at
 * a row of another. Times have milliseconds, as JavaScript's do, so that a time read is the time stored.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(`
create table installation (
  singleton boolean primary key default true check (singleton),
  secret_fingerprint text not null,
  created_at timestamptz(3) not null default now()
);

create table account (
  id uuid primary key,
  name text not null,
  created_at timestamptz(3) not null default now()
);

create table chatbot (
  id uuid primary key,
  account_id uuid not null references account (id),
  title text not null,
  pinned_model_id uuid,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  deleted_at timestamptz(3)
);
create index chatbot_newest on chatbot (account_id, created_at desc, id desc);

create table api_key (
  id uuid primary key,
  chatbot_id uuid not null references chatbot (id),
  name text not null,
  hint text not null,
  digest bytea not null unique,
  sealed bytea not null,
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3),
  revoked_at timestamptz(3)
);
create index api_key_newest on api_key (chatbot_id, created_at desc, id desc);

create table model (
  id uuid primary key,
  chatbot_id uuid not null references chatbot (id),
  title text not null,
  model_name text not null,
  training_data_type text not null check (training_data_type in ('text', 'file', 'crawler')),
  engine text not null,
  base text,
  retrieval text not null,
  state text not null check (state in ('queued', 'training', 'ready', 'failed', 'cancelled')),
  artifact_digest text,
  artifact_bytes bigint,
  evaluation json,
  failure json,
  tombstones uuid[] not null default '{}',
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  deleted_at timestamptz(3),
  unique (chatbot_id, id),
  check ((state = 'ready') = (artifact_digest is not null))
);
create index model_newest on model (chatbot_id, created_at desc, id desc);
create index model_newest_ready on model (chatbot_id, created_at desc, id desc)
  where state = 'ready' and deleted_at is null;

alter table chatbot add foreign key (id, pinned_model_id) references model (chatbot_id, id);

create table training_data (
  id uuid primary key,
  chatbot_id uuid not null references chatbot (id),
  type text not null check (type in ('text', 'file', 'crawler')),
  title text not null,
  blob_digest text not null,
  text_sha256 text not null,
  code_points bigint not null,
  bytes bigint not null,
  owned_by_model_id uuid,
  created_at timestamptz(3) not null default now(),
  deleted_at timestamptz(3),
  unique (chatbot_id, id),
  foreign key (chatbot_id, owned_by_model_id) references model (chatbot_id, id) deferrable initially deferred
);
create index training_data_newest on training_data (chatbot_id, created_at desc, id desc);
create index training_data_of_model on training_data (owned_by_model_id) where owned_by_model_id is not null;

create table model_training_data (
  chatbot_id uuid not null,
  model_id uuid not null,
  training_data_id uuid not null,
  ordinal integer not null,
  primary key (model_id, training_data_id),
  foreign key (chatbot_id, model_id) references model (chatbot_id, id),
  foreign key (chatbot_id, training_data_id) references training_data (chatbot_id, id)
);
create index model_training_data_holders on model_training_data (training_data_id);

create table event (
  id uuid primary key,
  chatbot_id uuid not null references chatbot (id),
  model_id uuid not null,
  kind text not null,
  state text not null check (state in ('queued', 'running', 'completed', 'failed', 'cancelled')),
  stage text not null,
  progress double precision not null default 0 check (progress between 0 and 1),
  attempt integer not null default 0,
  revision integer not null default 0,
  artifact_digest text,
  failure json,
  deadline timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  foreign key (chatbot_id, model_id) references model (chatbot_id, id),
  check ((state in ('queued', 'running')) = (ended_at is null))
);
create unique index event_of_training on event (model_id) where kind = 'training';
create index event_unended on event (deadline) where ended_at is null;

create table conversation (
  chatbot_id uuid not null references chatbot (id),
  id uuid not null,
  uid text not null,
  nickname text,
  source text not null,
  last_sent text not null,
  last_sent_at timestamptz(3) not null,
  created_at timestamptz(3) not null default now(),
  primary key (chatbot_id, id)
);
create index conversation_newest on conversation (chatbot_id, last_sent_at desc, id desc);

create table message (
  id uuid primary key,
  chatbot_id uuid not null,
  conversation_id uuid not null,
  nickname text,
  receive text not null,
  send text not null,
  type text not null,
  log_type text not null,
  kwargs json not null,
  created_at timestamptz(3) not null,
  foreign key (chatbot_id, conversation_id) references conversation (chatbot_id, id)
);
create index message_newest on message (chatbot_id, conversation_id, created_at desc, id desc);

create table idempotent_request (
  chatbot_id uuid not null references chatbot (id),
  key_digest bytea not null,
  fingerprint text not null,
  claim integer not null default 1,
  lease_until timestamptz(3) not null,
  expires_at timestamptz(3) not null,
  status integer,
  content_type text,
  body text,
  primary key (chatbot_id, key_digest)
);
create index idempotent_request_expiry on idempotent_request (expires_at);
`)
    .execute(db);
}
