import type { ColumnType, Generated, Kysely } from "kysely";

/** A queries' first argument: the store's database, or a transaction in it. */
export type Db = Kysely<Database>;

/** Written as a Date or by the database, read as a Date. */
type Timestamp = ColumnType<Date, Date | undefined, Date>;
type NullableTimestamp = ColumnType<Date | null, Date | null | undefined, Date | null>;
/** A json column (not jsonb, which refuses the escapes of NUL and of lone surrogates): written as JSON text. */
type Json<T> = ColumnType<T, string | undefined, string>;

export type TrainingDataType = "text" | "file" | "crawler";
export type ModelState = "queued" | "training" | "ready" | "failed" | "cancelled";
export type EventState = "queued" | "running" | "completed" | "failed" | "cancelled";
export type Strictness = "low" | "normal" | "high";
export type Quality = "fast" | "best";
export type Writer = "none" | "google" | "openai" | "gguf";
/** Why a job ended without its result: the stage it was in, what happened, and what the person can do about it. */
export type Failure = { stage: string; cause: string; fix: string };
/** A place in a training data, as a reply cites it. */
export type StoredCitation = { training_data_id: string } & JsonObject;
/** Any JSON object. */
export type JsonObject = { [name: string]: unknown };

export type Database = {
  installation: {
    singleton: Generated<boolean>;
    secret_fingerprint: string;
    created_at: Timestamp;
    first_key_shown_at: NullableTimestamp;
  };
  account: { id: string; name: string; created_at: Timestamp };
  chatbot: {
    id: string;
    account_id: string;
    title: string;
    pinned_model_id: string | null;
    strictness: Generated<Strictness>;
    quality: Generated<Quality>;
    refusal: string | null;
    stay_local: Generated<boolean>;
    writer: Writer | null;
    created_at: Timestamp;
    updated_at: Timestamp;
    deleted_at: NullableTimestamp;
  };
  api_key: {
    id: string;
    chatbot_id: string;
    name: string;
    hint: string;
    digest: Buffer;
    sealed: Buffer;
    created_at: Timestamp;
    last_used_at: NullableTimestamp;
    revoked_at: NullableTimestamp;
  };
  training_data: {
    id: string;
    chatbot_id: string;
    type: TrainingDataType;
    title: string;
    blob_digest: string;
    text_sha256: string;
    code_points: number;
    bytes: number;
    owned_by_model_id: string | null;
    corrects: string | null;
    replaced_at: NullableTimestamp;
    created_at: Timestamp;
    deleted_at: NullableTimestamp;
  };
  model: {
    id: string;
    chatbot_id: string;
    title: string;
    model_name: string;
    training_data_type: TrainingDataType;
    engine: string;
    base: string | null;
    retrieval: string;
    state: ModelState;
    artifact_digest: string | null;
    artifact_bytes: number | null;
    adapter_digest: string | null;
    adapter_bytes: number | null;
    adapter: Json<JsonObject | null>;
    evaluation: Json<JsonObject | null>;
    failure: Json<Failure | null>;
    tombstones: Generated<string[]>;
    created_at: Timestamp;
    updated_at: Timestamp;
    deleted_at: NullableTimestamp;
  };
  model_training_data: { chatbot_id: string; model_id: string; training_data_id: string; ordinal: number };
  event: {
    id: string;
    chatbot_id: string;
    model_id: string;
    kind: string;
    state: EventState;
    stage: string;
    progress: Generated<number>;
    attempt: Generated<number>;
    revision: Generated<number>;
    artifact_digest: string | null;
    adapter_digest: string | null;
    learning: Json<JsonObject | null>;
    failure: Json<Failure | null>;
    deadline: Timestamp;
    created_at: Timestamp;
    updated_at: Timestamp;
    ended_at: NullableTimestamp;
  };
  conversation: {
    chatbot_id: string;
    id: string;
    uid: string;
    nickname: string | null;
    source: "api" | "portal" | "webchat";
    last_sent: string;
    last_sent_at: Timestamp;
    created_at: Timestamp;
  };
  message: {
    id: string;
    chatbot_id: string;
    conversation_id: string;
    nickname: string | null;
    receive: string;
    send: string;
    type: "text" | "image";
    log_type: "talk" | "vision";
    kwargs: ColumnType<JsonObject, string, string>;
    created_at: Timestamp;
  };
  unanswered: {
    id: string;
    chatbot_id: string;
    wordings: string[];
    terms: string[];
    terms_digest: Buffer;
    count: Generated<number>;
    closest: ColumnType<StoredCitation[], string, string>;
    created_at: Timestamp;
    last_asked_at: Timestamp;
    answered_at: NullableTimestamp;
  };
  idempotent_request: {
    chatbot_id: string;
    key_digest: Buffer;
    fingerprint: string;
    claim: Generated<number>;
    lease_until: Timestamp;
    expires_at: Timestamp;
    status: number | null;
    content_type: string | null;
    body: string | null;
  };
};
