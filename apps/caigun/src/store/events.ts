import { sql } from "kysely";
import { type ChatbotId, uuidOrNil } from "./ids.ts";
import type { Db, EventState, Failure, JsonObject } from "./schema.ts";

/** Notified with an event's id at each change of it, when the change is committed. */
export const EVENT_CHANNEL = "caigun_event";

export type NewEvent = { id: string; modelId: string; kind: "training"; deadline: Date };
export type JobEvent = {
  id: string;
  modelId: string;
  kind: string;
  state: EventState;
  stage: string;
  /** 0..1; starts again with each attempt. */
  progress: number;
  /** How many times it was claimed. */
  attempt: number;
  /** Grows by one with each change: the ids of a progress stream. */
  revision: number;
  /** How far the adapter's training is, while there is one. */
  learning: JsonObject | null;
  failure: Failure | null;
  deadline: Date;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
};
export type ClaimedEvent = { attempt: number; modelId: string; kind: string; deadline: Date };
export type TrainingResult = {
  artifactDigest: string;
  artifactBytes: number;
  retrieval: string;
  evaluation: JsonObject;
  /** Where weights were trained: on which, and what came of it. */
  adapter?: { base: string; digest: string; bytes: number; facts: JsonObject };
};

/** How far an attempt has come. */
export type Advance = {
  stage: string;
  progress: number;
  /** The blobs that its model will refer to: from then on they count as referred to. */
  artifactDigest?: string | undefined;
  adapterDigest?: string | undefined;
  learning?: JsonObject | undefined;
};

const FIRST_STAGE = "accepted";
const notify = sql`pg_notify(${sql.lit(EVENT_CHANNEL)}, id::text)`;

export async function insertEvent(db: Db, chatbotId: ChatbotId, event: NewEvent): Promise<void> {
  await sql`
    with inserted as (
      insert into event (id, chatbot_id, model_id, kind, state, stage, deadline)
      values (${event.id}, ${chatbotId}, ${event.modelId}, ${event.kind}, 'queued', ${FIRST_STAGE}, ${event.deadline})
      returning id
    ) select ${notify} from inserted`.execute(db);
}

export async function findEvent(db: Db, chatbotId: ChatbotId, id: string): Promise<JobEvent | undefined> {
  return db
    .selectFrom("event")
    .select([
      "id",
      "model_id as modelId",
      "kind",
      "state",
      "stage",
      "progress",
      "attempt",
      "revision",
      "learning",
      "failure",
    ])
    .select(["deadline", "created_at as createdAt", "updated_at as updatedAt", "ended_at as endedAt"])
    .where("chatbot_id", "=", chatbotId)
    .where("id", "=", uuidOrNil(id))
    .executeTakeFirst();
}

/**
 * Takes an event for one attempt and fences off the attempt before: whoever made that one can change nothing any more.
 * Undefined: it has ended, or is past its deadline.
 */
export async function claimEvent(db: Db, chatbotId: ChatbotId, id: string): Promise<ClaimedEvent | undefined> {
  const { rows } = await sql<ClaimedEvent & { notified: unknown }>`
    with claimed as (
      update event set state = 'running', attempt = attempt + 1, stage = ${FIRST_STAGE}, progress = 0,
        learning = null, revision = revision + 1, updated_at = now()
      where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and ended_at is null and deadline > now()
      returning id, attempt, model_id, kind, deadline
    ), training as (
      update model set state = 'training', updated_at = now()
      from claimed where model.id = claimed.model_id and model.state = 'queued'
    ) select attempt, model_id as "modelId", kind, deadline, ${notify} as notified from claimed`.execute(db);
  const row = rows[0];
  return row && { attempt: row.attempt, modelId: row.modelId, kind: row.kind, deadline: row.deadline };
}

/**
 * Says how far an attempt has come. False: stop, for it was fenced off, cancelled, or is past its deadline.
 */
export async function advanceEvent(
  db: Db,
  chatbotId: ChatbotId,
  id: string,
  attempt: number,
  { stage, progress, artifactDigest, adapterDigest, learning }: Advance,
): Promise<boolean> {
  const { rows } = await sql`
    with advanced as (
      update event set stage = ${stage}, progress = ${progress}, revision = revision + 1, updated_at = now(),
        artifact_digest = coalesce(${artifactDigest ?? null}, artifact_digest),
        adapter_digest = coalesce(${adapterDigest ?? null}, adapter_digest),
        learning = ${learning ? JSON.stringify(learning) : null}
      where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and attempt = ${attempt} and state = 'running'
        and deadline > now()
      returning id
    ) select ${notify} from advanced`.execute(db);
  return rows.length > 0;
}

/** The event completed and its model ready, together. False: fenced off, ended before, or past the deadline. */
export async function completeTraining(
  db: Db,
  chatbotId: ChatbotId,
  id: string,
  attempt: number,
  result: TrainingResult,
): Promise<boolean> {
  const { rows } = await sql`
    with ended as (
      update event set state = 'completed', progress = 1, revision = revision + 1, updated_at = now(), ended_at = now()
      where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and attempt = ${attempt} and state = 'running'
        and deadline > now()
      returning id, model_id
    ), ready as (
      update model set state = 'ready', artifact_digest = ${result.artifactDigest},
        artifact_bytes = ${result.artifactBytes}, retrieval = ${result.retrieval}, evaluation = ${JSON.stringify(result.evaluation)},
        base = coalesce(${result.adapter?.base ?? null}, base), adapter_digest = ${result.adapter?.digest ?? null},
        adapter_bytes = ${result.adapter?.bytes ?? null},
        adapter = ${result.adapter ? JSON.stringify(result.adapter.facts) : null}, updated_at = now()
      from ended where model.id = ended.model_id
    ) select ${notify} from ended`.execute(db);
  return rows.length > 0;
}

/** The event and its model failed, together; an attempt of null fails it whoever holds it. False: fenced off or ended. */
export async function failTraining(
  db: Db,
  chatbotId: ChatbotId,
  id: string,
  attempt: number | null,
  failure: Failure,
): Promise<boolean> {
  const reason = JSON.stringify(failure);
  const { rows } = await sql`
    with ended as (
      update event set state = 'failed', stage = ${failure.stage}, failure = ${reason}, revision = revision + 1,
        updated_at = now(), ended_at = now()
      where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and ended_at is null
        and attempt = coalesce(${attempt}::integer, attempt)
      returning id, model_id
    ), failed as (
      update model set state = 'failed', failure = ${reason}, updated_at = now()
      from ended where model.id = ended.model_id
    ) select ${notify} from ended`.execute(db);
  return rows.length > 0;
}

/** The event and its model cancelled, together; the attempt that runs is fenced off. False: it had ended before. */
export async function cancelEvent(db: Db, chatbotId: ChatbotId, id: string): Promise<boolean> {
  const { rows } = await sql`
    with ended as (
      update event set state = 'cancelled', revision = revision + 1, updated_at = now(), ended_at = now()
      where chatbot_id = ${chatbotId} and id = ${uuidOrNil(id)} and ended_at is null
      returning id, model_id
    ), cancelled as (
      update model set state = 'cancelled', updated_at = now()
      from ended where model.id = ended.model_id
    ) select ${notify} from ended`.execute(db);
  return rows.length > 0;
}

/** By when the last of an engine's trainings will have ended that have not, whoever owns them; undefined where none goes on. */
export async function lastDeadline(db: Db, engine: string): Promise<Date | undefined> {
  const row = await db
    .selectFrom("event")
    .innerJoin("model", "model.id", "event.model_id")
    .where("event.ended_at", "is", null)
    .where("model.engine", "=", engine)
    .select(({ fn }) => fn.max("event.deadline").as("last"))
    .executeTakeFirst();
  return row?.last ?? undefined;
}

/**
 * Fails every event that is past its deadline, whoever owns it, and returns the ids: the net under all that can happen
 * to a worker. A query of maintenance, which no caller's request may reach.
 */
export async function expireOverdue(db: Db, now: Date): Promise<string[]> {
  const cause = "The work did not end by its deadline.";
  const fix = "Start it again; if it happens again, send less text at once or give the machine more time.";
  const { rows } = await sql<{ id: string }>`
    with overdue as (
      select id from event where ended_at is null and deadline <= ${now} order by id for update skip locked
    ), ended as (
      update event set state = 'failed', revision = revision + 1, updated_at = now(), ended_at = now(),
        failure = json_build_object('stage', stage, 'cause', ${cause}::text, 'fix', ${fix}::text)
      from overdue where event.id = overdue.id
      returning event.id, event.model_id, event.failure
    ), failed as (
      update model set state = 'failed', failure = ended.failure, updated_at = now()
      from ended where model.id = ended.model_id
    ) select id, ${notify} as notified from ended`.execute(db);
  return rows.map(({ id }) => id);
}

/** Whether a training goes on. A query of maintenance, which no caller's request may reach. */
export async function isEventLive(db: Db, id: string): Promise<boolean> {
  const row = await db
    .selectFrom("event")
    .select("id")
    .where("id", "=", uuidOrNil(id))
    .where("ended_at", "is", null)
    .executeTakeFirst();
  return row !== undefined;
}
