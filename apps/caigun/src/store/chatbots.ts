import { sql } from "kysely";
import { type AccountId, type ChatbotId, newId, uuidOrNil } from "./ids.ts";
import type { Db } from "./schema.ts";

export type Chatbot = {
  id: ChatbotId;
  accountId: AccountId;
  title: string;
  pinnedModelId: string | null;
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS = [
  "id",
  "account_id as accountId",
  "title",
  "pinned_model_id as pinnedModelId",
  "created_at as createdAt",
  "updated_at as updatedAt",
] as const;

export async function createChatbot(db: Db, accountId: AccountId, { title }: { title: string }): Promise<Chatbot> {
  const chatbot = await db
    .insertInto("chatbot")
    .values({ id: newId(), account_id: accountId, title })
    .returning(COLUMNS)
    .executeTakeFirstOrThrow();
  return chatbot as Chatbot;
}

function liveChatbots(db: Db, accountId: AccountId) {
  return db.selectFrom("chatbot").select(COLUMNS).where("account_id", "=", accountId).where("deleted_at", "is", null);
}

/** Newest first. */
export async function listChatbots(db: Db, accountId: AccountId): Promise<Chatbot[]> {
  const chatbots = await liveChatbots(db, accountId).orderBy("created_at", "desc").orderBy("id", "desc").execute();
  return chatbots as Chatbot[];
}

export async function findChatbot(db: Db, accountId: AccountId, id: string): Promise<Chatbot | undefined> {
  const chatbot = await liveChatbots(db, accountId).where("id", "=", uuidOrNil(id)).executeTakeFirst();
  return chatbot as Chatbot | undefined;
}

/** The account's oldest chatbot: the one meant where a person names none. */
export async function findDefaultChatbot(db: Db, accountId: AccountId): Promise<Chatbot | undefined> {
  const chatbot = await liveChatbots(db, accountId).orderBy("created_at").orderBy("id").limit(1).executeTakeFirst();
  return chatbot as Chatbot | undefined;
}

/**
 * Makes the chatbot answer with this model, or, with null, with its newest ready one again.
 * Returns false where the chatbot has no such ready, undeleted model.
 */
export async function pinModel(db: Db, chatbotId: ChatbotId, modelId: string | null): Promise<boolean> {
  const pinned = await db
    .updateTable("chatbot")
    .set({ pinned_model_id: modelId && uuidOrNil(modelId), updated_at: sql`now()` })
    .where("id", "=", chatbotId)
    .where("deleted_at", "is", null)
    .$if(modelId !== null, (query) =>
      query.where(({ exists, selectFrom }) =>
        exists(
          // Locked, so that a deletion at the same moment comes before (and this finds nothing) or after (and unpins).
          selectFrom("model")
            .select("id")
            .where("chatbot_id", "=", chatbotId)
            .where("id", "=", uuidOrNil(modelId!))
            .where("state", "=", "ready")
            .where("deleted_at", "is", null)
            .forShare(),
        ),
      ),
    )
    .executeTakeFirst();
  return pinned.numUpdatedRows > 0n;
}
