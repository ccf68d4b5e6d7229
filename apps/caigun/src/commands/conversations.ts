import type { Input, Reply } from "@caigun/contract";
import { listMessages as listStoredMessages, listUids } from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

export async function listMessages(
  { store }: House,
  { chatbotId }: Caller,
  { uid, offset, limit, start_at, end_at, nickname }: Input<"listMessages">,
): Promise<Reply<"listMessages">> {
  const messages = await listStoredMessages(store.db, chatbotId, {
    uid,
    offset,
    limit,
    startAt: start_at,
    endAt: end_at,
    nickname,
  });
  return {
    messages: messages.map(({ createdAt, receive, send, type, id, logType, kwargs }) => ({
      created_at: createdAt,
      receive,
      send,
      type,
      id,
      log_type: logType,
      kwargs,
    })),
  };
}

export async function listConversations(
  { store }: House,
  { chatbotId }: Caller,
  { offset, limit, start_at, end_at }: Input<"listConversations">,
): Promise<Reply<"listConversations">> {
  const conversations = await listUids(store.db, chatbotId, {
    offset,
    limit,
    startAt: start_at,
    endAt: end_at,
  });
  return {
    uids: conversations.map(({ uid, nickname, source, lastSent, lastSentAt }) => ({
      uid,
      nickname: nickname ?? "",
      source,
      last_sent: lastSent,
      last_sent_at: lastSentAt,
    })),
  };
}
