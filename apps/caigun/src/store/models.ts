import { sql } from "kysely";
import { EVENT_CHANNEL } from "./events.ts";
import { type ChatbotId, uuidOrNil } from "./ids.ts";
import { inTransaction } from "./open.ts";
import type { Db, Failure, JsonObject, ModelState, TrainingDataType } from "./schema.ts";
import { buryTrainingData, TRAINING_DATA_COLUMNS, type TrainingData } from "./training-data.ts";

export type NewModel = {
  id: string;
  title: string;
  /** What was asked for. */
  modelName: string;
  trainingDataType: TrainingDataType;
  /** What really runs. */
  engine: string;
  base: string | null;
  retrieval: string;
  trainingDataIds: readonly string[];
};

export type Model = Omit<NewModel, "trainingDataIds"> & {
  state: ModelState;
  /** Of its training: null where there has been none. */
  stage: string | null;
  /** 0..1. */
  progress: number | null;
  eventId: string | null;
  deadline: Date | null;
  failure: Failure | null;
  evaluation: JsonObject | null;
  artifactDigest: string | null;
  artifactBytes: number | null;
  adapterDigest: string | null;
  /** What is told of its adapter; null where it has none. */
  adapter: JsonObject | null;
  createdAt: Date;
  updatedAt: Date;
  deletedAt: Date | null;
  /** Ids of its training data that were deleted since: no answer may come from them. */
  tombstones: string[];
};

/** A model that answers: ready, so it has its artifact. */
export type CurrentModel = {
  id: string;
  engine: string;
  artifactDigest: string;
  artifactBytes: number;
  /** The weights that it was trained on, and why not on those that were asked for; null where it has none, and no reason. */
  base: string | null;
  baseBecause: string | null;
  /** Of the file of those weights, and of its adapter; null where it has none. */
  baseDigest: string | null;
  adapterDigest: string | null;
  tombstones: string[];
};

/**
 * Inserts a queued model of the training data named, as far as it is the chatbot's and undeleted; returns the ids that
 * it holds, in the order given. Call it in a transaction, so that the model never stands without its training data.
 */
export async function insertModel(db: Db, chatbotId: ChatbotId, model: NewModel): Promise<string[]> {
  return inTransaction(db, async (trx) => {
    await trx
      .insertInto("model")
      .values({
        id: model.id,
        chatbot_id: chatbotId,
        title: model.title,
        model_name: model.modelName,
        training_data_type: model.trainingDataType,
        engine: model.engine,
        base: model.base,
        retrieval: model.retrieval,
        state: "queued",
      })
      .execute();
    if (model.trainingDataIds.length === 0) return [];
    // Locked against deletion, so that one at the same moment either leaves its tombstone here or is seen here.
    const held = await trx
      .selectFrom("training_data")
      .select("id")
      .where("chatbot_id", "=", chatbotId)
      .where("id", "in", model.trainingDataIds.map(uuidOrNil))
      .where("deleted_at", "is", null)
      .orderBy("id")
      .forShare()
      .execute();
    const live = new Set(held.map(({ id }) => id));
    const ids = [...new Set(model.trainingDataIds.map((id) => id.toLowerCase()))].filter((id) => live.has(id));
    if (ids.length > 0) {
      await sql`
        insert into model_training_data (chatbot_id, model_id, training_data_id, ordinal)
        select ${chatbotId}, ${model.id}, id, ordinal from unnest(${ids}::uuid[]) with ordinality as held (id, ordinal)`.execute(
        trx,
      );
    }
    return ids;
  });
}

function models(db: Db, chatbotId: ChatbotId) {
  return db
    .selectFrom("model")
    .leftJoin("event", (join) => join.onRef("event.model_id", "=", "model.id").on("event.kind", "=", "training"))
    .select([
      "model.id",
      "model.title",
      "model.model_name as modelName",
      "model.training_data_type as trainingDataType",
      "model.engine",
      "model.base",
      "model.retrieval",
      "model.state",
      "event.stage",
      "event.progress",
      "event.id as eventId",
      "event.deadline",
      "model.failure",
      "model.evaluation",
      "model.artifact_digest as artifactDigest",
      "model.artifact_bytes as artifactBytes",
      "model.adapter_digest as adapterDigest",
      "model.adapter",
      "model.created_at as createdAt",
      "model.updated_at as updatedAt",
      "model.deleted_at as deletedAt",
      "model.tombstones",
    ])
    .where("model.chatbot_id", "=", chatbotId);
}

/** The undeleted ones, newest first. */
export async function listModels(db: Db, chatbotId: ChatbotId): Promise<Model[]> {
  return models(db, chatbotId)
    .where("model.deleted_at", "is", null)
    .orderBy("model.created_at", "desc")
    .orderBy("model.id", "desc")
    .execute();
}

/** Deleted ones too: they are gone, not unknown. */
export async function findModel(db: Db, chatbotId: ChatbotId, id: string): Promise<Model | undefined> {
  return models(db, chatbotId).where("model.id", "=", uuidOrNil(id)).executeTakeFirst();
}

/** The newest ready model that is older than this one and was evaluated, as far as it is there. */
export async function previousEvaluation(
  db: Db,
  chatbotId: ChatbotId,
  modelId: string,
): Promise<{ modelId: string; evaluation: JsonObject } | undefined> {
  const { rows } = await sql<{ modelId: string; evaluation: JsonObject }>`
    select previous.id as "modelId", previous.evaluation
    from model join model as previous on previous.chatbot_id = model.chatbot_id
    where model.chatbot_id = ${chatbotId} and model.id = ${uuidOrNil(modelId)}
      and previous.state = 'ready' and previous.deleted_at is null and previous.evaluation is not null
      and (previous.created_at, previous.id) < (model.created_at, model.id)
    order by previous.created_at desc, previous.id desc limit 1`.execute(db);
  return rows[0];
}

/** The model's training data that is not deleted, in the order in which it was trained. */
export async function modelDocuments(db: Db, chatbotId: ChatbotId, modelId: string): Promise<TrainingData[]> {
  return db
    .selectFrom("model_training_data as held")
    .innerJoin("training_data", "training_data.id", "held.training_data_id")
    .select(TRAINING_DATA_COLUMNS)
    .where("held.chatbot_id", "=", chatbotId)
    .where("held.model_id", "=", uuidOrNil(modelId))
    .where("training_data.deleted_at", "is", null)
    .orderBy("held.ordinal")
    .execute();
}

/**
 * Deletes a model: ends its training, unpins it and deletes the training data that belongs to it alone.
 * False: the chatbot has no such undeleted model.
 */
export async function deleteModel(db: Db, chatbotId: ChatbotId, id: string): Promise<boolean> {
  const modelId = uuidOrNil(id);
  return inTransaction(db, async (trx) => {
    // The event first, then the model: the order in which a training that ends takes its locks.
    await sql`
      with ended as (
        update event set state = 'cancelled', ended_at = now(), updated_at = now(), revision = revision + 1
        where chatbot_id = ${chatbotId} and model_id = ${modelId} and ended_at is null
        returning id
      ) select pg_notify(${sql.lit(EVENT_CHANNEL)}, id::text) from ended`.execute(trx);
    const deleted = await sql`
      update model set deleted_at = now(), updated_at = now(),
        state = case when state in ('queued', 'training') then 'cancelled' else state end
      where chatbot_id = ${chatbotId} and id = ${modelId} and deleted_at is null`.execute(trx);
    if (deleted.numAffectedRows === 0n) return false;
    await trx
      .updateTable("chatbot")
      .set({ pinned_model_id: null, updated_at: sql`now()` })
      .where("id", "=", chatbotId)
      .where("pinned_model_id", "=", modelId)
      .execute();
    await buryTrainingData(trx, chatbotId, { ownedByModelId: modelId });
    return true;
  });
}

/** The model that answers: the pinned one, else the ready one that was created last. */
export async function currentModel(db: Db, chatbotId: ChatbotId): Promise<CurrentModel | undefined> {
  const { rows } = await sql<CurrentModel>`
    select ${sql.raw(CURRENT_MODEL_COLUMNS)}
    from chatbot join model on model.id = ${sql.raw(CURRENT_MODEL_ID)}
    where chatbot.id = ${chatbotId} and chatbot.deleted_at is null`.execute(db);
  return rows[0];
}

/** SQL for what a CurrentModel holds of the row `model`; shared with the talk path. */
export const CURRENT_MODEL_COLUMNS = `model.id, model.engine,
  model.artifact_digest as "artifactDigest", model.artifact_bytes as "artifactBytes",
  model.base, model.adapter->>'base_because' as "baseBecause", model.adapter->>'base_digest' as "baseDigest",
  model.adapter_digest as "adapterDigest", model.tombstones`;

/** SQL for the id of the model with which the row `chatbot` answers; shared with the talk path. */
export const CURRENT_MODEL_ID = `coalesce(
  (select pinned.id from model as pinned
    where pinned.chatbot_id = chatbot.id and pinned.id = chatbot.pinned_model_id
      and pinned.state = 'ready' and pinned.deleted_at is null),
  (select newest.id from model as newest
    where newest.chatbot_id = chatbot.id and newest.state = 'ready' and newest.deleted_at is null
    order by newest.created_at desc, newest.id desc limit 1))`;
