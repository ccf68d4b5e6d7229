import { sql } from "kysely";
import { type ChatbotId, uuidOrNil } from "./ids.ts";
import { inTransaction } from "./open.ts";
import type { Db, TrainingDataType } from "./schema.ts";

export type NewTrainingData = {
  id: string;
  type: TrainingDataType;
  title: string;
  blobDigest: string;
  textSha256: string;
  codePoints: number;
  bytes: number;
  /** The one model that this was sent for (generations 0 and 1): goes when that model is deleted. */
  ownedByModelId?: string;
  /** The group of unanswered questions that it answers: every later training holds it. */
  corrects?: string;
};
export type TrainingData = Omit<NewTrainingData, "ownedByModelId" | "corrects"> & {
  ownedByModelId: string | null;
  createdAt: Date;
};

export const TRAINING_DATA_COLUMNS = [
  "training_data.id",
  "training_data.type",
  "training_data.title",
  "training_data.blob_digest as blobDigest",
  "training_data.text_sha256 as textSha256",
  "training_data.code_points as codePoints",
  "training_data.bytes",
  "training_data.owned_by_model_id as ownedByModelId",
  "training_data.created_at as createdAt",
] as const;

/** The model that owns it may be inserted later in the same transaction. */
export async function insertTrainingData(db: Db, chatbotId: ChatbotId, data: NewTrainingData): Promise<void> {
  await db
    .insertInto("training_data")
    .values({
      id: data.id,
      chatbot_id: chatbotId,
      type: data.type,
      title: data.title,
      blob_digest: data.blobDigest,
      text_sha256: data.textSha256,
      code_points: data.codePoints,
      bytes: data.bytes,
      owned_by_model_id: data.ownedByModelId ?? null,
      corrects: data.corrects ?? null,
    })
    .execute();
}

function live(db: Db, chatbotId: ChatbotId) {
  return db
    .selectFrom("training_data")
    .select(TRAINING_DATA_COLUMNS)
    .where("chatbot_id", "=", chatbotId)
    .where("deleted_at", "is", null);
}

/** What the next training of generation 2 will use, newest first: not what belongs to one model alone, nor what was replaced. */
export async function listTrainingData(db: Db, chatbotId: ChatbotId): Promise<TrainingData[]> {
  return live(db, chatbotId)
    .where("owned_by_model_id", "is", null)
    .where("replaced_at", "is", null)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

export async function findTrainingData(db: Db, chatbotId: ChatbotId, id: string): Promise<TrainingData | undefined> {
  return live(db, chatbotId).where("id", "=", uuidOrNil(id)).executeTakeFirst();
}

/**
 * Deletes training data, and leaves a tombstone on each model that holds it: none finds it from the moment this
 * returns. False: the chatbot has no such training data.
 */
export async function deleteTrainingData(db: Db, chatbotId: ChatbotId, id: string): Promise<boolean> {
  return inTransaction(db, async (trx) => (await buryTrainingData(trx, chatbotId, { id: uuidOrNil(id) })) > 0);
}

/**
 * Deletes one piece of training data, or all that a model owns; returns how many. Call it in a transaction: its second
 * statement must see the models whose insertion held the rows locked until the first one got them.
 */
export async function buryTrainingData(
  trx: Db,
  chatbotId: ChatbotId,
  which: { id: string } | { ownedByModelId: string },
): Promise<number> {
  const buried = await trx
    .updateTable("training_data")
    .set({ deleted_at: sql`now()` })
    .where("chatbot_id", "=", chatbotId)
    .where("deleted_at", "is", null)
    .$if("id" in which, (query) => query.where("id", "=", (which as { id: string }).id))
    .$if("ownedByModelId" in which, (query) =>
      query.where("owned_by_model_id", "=", (which as { ownedByModelId: string }).ownedByModelId),
    )
    .returning("id")
    .execute();
  for (const { id } of buried) {
    await sql`
      update model set tombstones = array_append(tombstones, ${id}::uuid), updated_at = now()
      where chatbot_id = ${chatbotId}
        and id in (select model_id from model_training_data where training_data_id = ${id})`.execute(trx);
  }
  return buried.length;
}
