import { type Input, Problem, type Reply } from "@caigun/contract";
import { type Citation as ReadCitation, type SmallTalk, smallTalk } from "@caigun/reading";
import { type CurrentModel, currentModel, type Exchange, newId, saveExchange } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";
import { readQuestion } from "./read-question.ts";
import { resolveQuestion } from "./resolve-question.ts";

/** How often a question is read anew because something was deleted under it, before it is told to come back. */
const MOST_READINGS = 3;

type ConversationReply = Reply<"converse">;
/** A reply, and what is kept with it in the message's kwargs. */
type Drafted = { reply: ConversationReply; kwargs: Record<string, unknown> };

/**
 * Replies to what a person says, from the chatbot's current model, and keeps both. What is deleted while a question is
 * read is in no reply: the reply is kept, and sent, only while its model is as it was when it was asked.
 */
export async function converse(
  house: House,
  caller: Caller,
  input: Input<"converse">,
  hooks: Hooks<ConversationReply>,
): Promise<ConversationReply> {
  const { db } = house.store;
  const pleasantry = smallTalk(input.text);
  const question = pleasantry ? input.text : await resolveQuestion(db, caller, input);
  let { model } = caller;
  for (let reading = 1; reading <= MOST_READINGS; reading++) {
    if (!model) throw new Problem("no_model");
    const drafted = pleasantry
      ? replyToSmallTalk(model, pleasantry)
      : await replyFromTexts(house, caller, model, question, input, hooks.signal);
    // Kept before a word of it is sent: what a person has read stands in the messages.
    if (await keep(house, caller, model, input, drafted, hooks)) {
      await send(drafted.reply, hooks);
      return drafted.reply;
    }
    model = await currentModel(db, caller.chatbotId);
  }
  throw new Problem("unavailable", "The chatbot's texts are changing. Ask again.", { retryAfterSeconds: 1 });
}

/**
 * Counts as answered, for nothing was asked that the texts lack, and it must not come upon the list of what they lack.
 * It quotes nothing, so it has no citations; the kwargs say why.
 */
function replyToSmallTalk(model: CurrentModel, { kind, reply: text }: SmallTalk): Drafted {
  const reply = { text, answered: true, citations: [], engine: model.engine, model_id: model.id, message_id: newId() };
  return { reply, kwargs: { small_talk: kind } };
}

/** What one model's texts say to the question, or that they don't. */
async function replyFromTexts(
  house: House,
  { settings }: Caller,
  model: CurrentModel,
  question: string,
  { text, explain }: Input<"converse">,
  signal: AbortSignal,
): Promise<Drafted> {
  const reading = await readQuestion(house, model, question, settings, signal);
  const reply: ConversationReply = {
    text: reading.answered ? reading.text : (settings.refusal ?? reading.text),
    answered: reading.answered,
    citations: reading.citations.map(asCitation),
    engine: model.engine,
    model_id: model.id,
    message_id: newId(),
    ...(explain && {
      question,
      confidence: reading.confidence,
      candidate: { text: reading.candidate.text, citations: reading.candidate.citations.map(asCitation) },
      passages: reading.passages.map(({ documentId, start, end, score }) => ({
        training_data_id: documentId,
        start,
        end,
        score,
      })),
    }),
  };
  return { reply, kwargs: question === text ? {} : { question } };
}

/** False: something of the model was deleted since it was asked, and the reply must not go out. */
async function keep(
  house: House,
  { chatbotId }: Caller,
  model: CurrentModel,
  { text, uid, nickname }: Input<"converse">,
  { reply, kwargs }: Drafted,
  { recordReply }: Hooks<ConversationReply>,
): Promise<boolean> {
  const { answered, citations, engine, model_id } = reply;
  const exchange: Exchange = {
    uid,
    nickname: nickname ?? null,
    source: "api",
    messageId: reply.message_id,
    receive: text,
    send: reply.text,
    type: "text",
    logType: "talk",
    kwargs: { answered, citations, engine, model_id, ...kwargs },
    at: new Date(),
  };
  const { db } = house.store;
  if (!recordReply) return saveExchange(db, chatbotId, exchange, model);
  return db.transaction().execute(async (trx) => {
    const isKept = await saveExchange(trx, chatbotId, exchange, model);
    if (isKept) await recordReply(trx, reply);
    return isKept;
  });
}

async function send({ text }: ConversationReply, { emit }: Hooks<ConversationReply>): Promise<void> {
  if (emit) for (const piece of text.match(/\S+\s*|\s+/gu) ?? []) await emit(piece);
}

function asCitation({ documentId, title, start, end, quote, textSha256 }: ReadCitation) {
  return { training_data_id: documentId, title, start, end, quote, text_sha256: textSha256 };
}
