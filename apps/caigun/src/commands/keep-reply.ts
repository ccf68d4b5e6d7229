import type { Input, Reply } from "@caigun/contract";
import type { Citation as ReadCitation } from "@caigun/reading";
import { type CurrentModel, type Exchange, extendReply, saveExchange } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";

export type ConversationReply = Reply<"converse">;

/** A question on its way to a reply from one model. */
export type Turn = {
  house: House;
  caller: Caller;
  input: Input<"converse">;
  model: CurrentModel;
  hooks: Hooks<ConversationReply>;
  /** When the reply was begun: the message's time, however long the rest of it takes. */
  at: Date;
};

/** A reply, and what is kept with it in the message's kwargs. */
export type Drafted = { reply: ConversationReply; kwargs: Record<string, unknown> };

/**
 * Keeps a reply before a word of it is sent: what a person has read stands in the messages. False: something of the model
 * was deleted since it was asked, and the reply must not go out.
 */
export async function keep(turn: Turn, drafted: Drafted): Promise<boolean> {
  const { house, caller, model, hooks } = turn;
  const { db } = house.store;
  const exchange = exchangeOf(turn, drafted);
  const { recordReply } = hooks;
  if (!recordReply) return saveExchange(db, caller.chatbotId, exchange, model);
  return db.transaction().execute(async (trx) => {
    const isKept = await saveExchange(trx, caller.chatbotId, exchange, model);
    if (isKept) await recordReply(trx, drafted.reply);
    return isKept;
  });
}

/** Keeps more of a reply that is kept already. False: as with `keep`; what went out before stands. */
export async function keepMore(turn: Turn, drafted: Drafted): Promise<boolean> {
  const { house, caller, model } = turn;
  return extendReply(house.store.db, caller.chatbotId, exchangeOf(turn, drafted), model);
}

/** Keeps a reply and sends it; false: as with `keep`. */
export async function keepAndSend(turn: Turn, drafted: Drafted): Promise<boolean> {
  if (!(await keep(turn, drafted))) return false;
  const { emit } = turn.hooks;
  if (emit) for (const piece of drafted.reply.text.match(/\S+\s*|\s+/gu) ?? []) await emit(piece);
  return true;
}

function exchangeOf({ input, at }: Turn, { reply, kwargs }: Drafted): Exchange {
  const { answered, citations, engine, model_id } = reply;
  return {
    uid: input.uid,
    nickname: input.nickname ?? null,
    source: "api",
    messageId: reply.message_id,
    receive: input.text,
    send: reply.text,
    type: "text",
    logType: "talk",
    kwargs: { answered, citations, engine, model_id, ...kwargs },
    at,
  };
}

export function asCitation({ documentId, title, start, end, quote, textSha256, highlight }: ReadCitation) {
  return { training_data_id: documentId, title, start, end, quote, text_sha256: textSha256, highlight };
}
