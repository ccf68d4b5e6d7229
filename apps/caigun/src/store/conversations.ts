import { createHash } from "node:crypto";
import { type Expression, type SqlBool, sql } from "kysely";
import { type ChatbotId, uuidOfDigest } from "./ids.ts";
import type { CurrentModel } from "./models.ts";
import type { Db, JsonObject } from "./schema.ts";

export type Exchange = {
  /** Names the conversation within the chatbot. */
  uid: string;
  nickname: string | null;
  source: "api" | "portal" | "webchat";
  messageId: string;
  /** What the chatbot received. */
  receive: string;
  /** What it sent. */
  send: string;
  type: "text" | "image";
  logType: "talk" | "vision";
  kwargs: JsonObject;
  at: Date;
};
export type Message = {
  id: string;
  nickname: string | null;
  receive: string;
  send: string;
  type: Exchange["type"];
  logType: Exchange["logType"];
  kwargs: JsonObject;
  createdAt: Date;
};
export type Conversation = {
  uid: string;
  nickname: string | null;
  source: Exchange["source"];
  lastSent: string;
  lastSentAt: Date;
};
export type Page = { offset: number; limit: number };
/** Both ends inclusive. */
export type Period = { startAt?: Date | undefined; endAt?: Date | undefined };

/** A uid can be longer than an index row may be, so a conversation is found by its digest. */
function conversationId(uid: string): string {
  return uuidOfDigest(createHash("sha256").update(uid, "utf16le").digest());
}

/**
 * Stores a question and its reply in one statement, and with them the conversation, new or moved to the top; but only
 * while the model that replied and its training data are as they were when it was asked. False: something of it has
 * been deleted since, and the reply must not go out.
 */
export async function saveExchange(
  db: Db,
  chatbotId: ChatbotId,
  exchange: Exchange,
  { id: modelId, tombstones }: Pick<CurrentModel, "id" | "tombstones">,
): Promise<boolean> {
  const { uid, nickname, source, messageId, receive, send, type, logType, kwargs, at } = exchange;
  const id = conversationId(uid);
  const saved = await sql`
    with unchanged as (
      select id from model
      where chatbot_id = ${chatbotId} and id = ${modelId} and deleted_at is null and tombstones = ${tombstones}::uuid[]
    ), conversed as (
      insert into conversation (chatbot_id, id, uid, nickname, source, last_sent, last_sent_at)
      select ${chatbotId}::uuid, ${id}::uuid, ${uid}, ${nickname}, ${source}, ${send}, ${at}::timestamptz from unchanged
      on conflict (chatbot_id, id) do update set
        nickname = coalesce(excluded.nickname, conversation.nickname), source = excluded.source,
        last_sent = excluded.last_sent, last_sent_at = excluded.last_sent_at
      where conversation.last_sent_at <= excluded.last_sent_at
    )
    insert into message (id, chatbot_id, conversation_id, nickname, receive, send, type, log_type, kwargs, created_at)
    select ${messageId}::uuid, ${chatbotId}::uuid, ${id}::uuid, ${nickname}, ${receive}, ${send}, ${type}, ${logType},
      ${JSON.stringify(kwargs)}::json, ${at}::timestamptz from unchanged`.execute(db);
  return saved.numAffectedRows === 1n;
}

/**
 * Makes a reply that has been kept longer, under the same condition as saveExchange: of a reply that goes out sentence
 * by sentence, each is kept before it is sent. False: it must not grow, and stands as it was.
 */
export async function extendReply(
  db: Db,
  chatbotId: ChatbotId,
  { uid, messageId, send, kwargs, at }: Pick<Exchange, "uid" | "messageId" | "send" | "kwargs" | "at">,
  { id: modelId, tombstones }: Pick<CurrentModel, "id" | "tombstones">,
): Promise<boolean> {
  const extended = await sql`
    with unchanged as (
      select id from model
      where chatbot_id = ${chatbotId} and id = ${modelId} and deleted_at is null and tombstones = ${tombstones}::uuid[]
    ), conversed as (
      update conversation set last_sent = ${send} from unchanged
      where conversation.chatbot_id = ${chatbotId} and conversation.id = ${conversationId(uid)}::uuid
        and last_sent_at = ${at}::timestamptz
    )
    update message set send = ${send}, kwargs = ${JSON.stringify(kwargs)}::json from unchanged
    where message.chatbot_id = ${chatbotId} and message.id = ${messageId}::uuid`.execute(db);
  return extended.numAffectedRows === 1n;
}

/** One conversation's messages, newest first; with a nickname, those sent under it. */
export async function listMessages(
  db: Db,
  chatbotId: ChatbotId,
  { uid, nickname, startAt, endAt, offset, limit }: { uid: string; nickname?: string | undefined } & Period & Page,
): Promise<Message[]> {
  return db
    .selectFrom("message")
    .select(["id", "nickname", "receive", "send", "type", "log_type as logType", "kwargs", "created_at as createdAt"])
    .where("chatbot_id", "=", chatbotId)
    .where("conversation_id", "=", conversationId(uid))
    .where(({ and, eb }) => {
      const conditions: Expression<SqlBool>[] = [];
      if (nickname !== undefined) conditions.push(eb("nickname", "=", nickname));
      if (startAt) conditions.push(eb("created_at", ">=", startAt));
      if (endAt) conditions.push(eb("created_at", "<=", endAt));
      return and(conditions);
    })
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .offset(offset)
    .limit(limit)
    .execute();
}

/** The chatbot's conversations by when it last sent something, newest first. */
export async function listUids(
  db: Db,
  chatbotId: ChatbotId,
  { startAt, endAt, offset, limit }: Period & Page,
): Promise<Conversation[]> {
  return db
    .selectFrom("conversation")
    .select(["uid", "nickname", "source", "last_sent as lastSent", "last_sent_at as lastSentAt"])
    .where("chatbot_id", "=", chatbotId)
    .where(({ and, eb }) => {
      const conditions: Expression<SqlBool>[] = [];
      if (startAt) conditions.push(eb("last_sent_at", ">=", startAt));
      if (endAt) conditions.push(eb("last_sent_at", "<=", endAt));
      return and(conditions);
    })
    .orderBy("last_sent_at", "desc")
    .orderBy("id", "desc")
    .offset(offset)
    .limit(limit)
    .execute();
}
