import { type Input, Problem, type Reply } from "@caigun/contract";
import type { Citation as ReadCitation } from "@caigun/reading";
import { BlobMissing } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused, ChildTimedOut } from "../children/child.ts";
import { Overloaded } from "../engines/local-reader/answering.ts";
import { type CurrentModel, currentModel, type Exchange, newId, type Settings, saveExchange } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";

/** How often a question is read anew because something was deleted under it, before it is told to come back. */
const MOST_READINGS = 3;

type ConversationReply = Reply<"converse">;

/**
 * Replies to what a person says, from the chatbot's current model, and keeps both. What is deleted while a question is
 * read is in no reply: the reply is kept, and sent, only while its model is as it was when it was asked.
 */
export async function converse(
  house: House,
  caller: Caller,
  input: Input<"converse">,
  { signal, emit, recordReply }: Hooks<ConversationReply>,
): Promise<ConversationReply> {
  const { db } = house.store;
  let { model } = caller;
  for (let reading = 1; reading <= MOST_READINGS; reading++) {
    if (!model) throw new Problem("no_model");
    const { reply, exchange } = await readReply(house, caller, model, input, signal);
    const asked = model;
    // Kept before a word of it is sent: what a person has read stands in the messages.
    const isKept = recordReply
      ? await db.transaction().execute(async (trx) => {
          const isKept = await saveExchange(trx, caller.chatbotId, exchange, asked);
          if (isKept) await recordReply(trx, reply);
          return isKept;
        })
      : await saveExchange(db, caller.chatbotId, exchange, asked);
    if (isKept) {
      if (emit) for (const piece of reply.text.match(/\S+\s*|\s+/gu) ?? []) await emit(piece);
      return reply;
    }
    model = await currentModel(db, caller.chatbotId);
  }
  throw new Problem("unavailable", "The chatbot's texts are changing. Ask again.", { retryAfterSeconds: 1 });
}

/** What one model replies, and what is to be kept of it. */
async function readReply(
  house: House,
  { settings }: Caller,
  model: CurrentModel,
  { text, uid, nickname, explain }: Input<"converse">,
  signal: AbortSignal,
): Promise<{ reply: ConversationReply; exchange: Exchange }> {
  const reading = await readFrom(house, model, text, settings, signal);
  const citations = reading.citations.map(asCitation);
  const messageId = newId();
  const reply: ConversationReply = {
    text: reading.answered ? reading.text : (settings.refusal ?? reading.text),
    answered: reading.answered,
    citations,
    engine: model.engine,
    model_id: model.id,
    message_id: messageId,
    ...(explain && {
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
  const exchange: Exchange = {
    uid,
    nickname: nickname ?? null,
    source: "api",
    messageId,
    receive: text,
    send: reply.text,
    type: "text",
    logType: "talk",
    kwargs: { answered: reply.answered, citations, engine: model.engine, model_id: model.id },
    at: new Date(),
  };
  return { reply, exchange };
}

async function readFrom(
  { answering, blobs }: House,
  { artifactDigest, tombstones }: CurrentModel,
  question: string,
  { strictness }: Settings,
  signal: AbortSignal,
) {
  try {
    const index = await blobs.file(artifactDigest);
    return await answering.ask({ key: artifactDigest, index, question, exclude: tombstones, strictness }, signal);
  } catch (error) {
    throw explain(error);
  }
}

/** What the caller is told of a question that could not be read. */
function explain(error: unknown): unknown {
  const unavailable = (detail: string, retryAfterSeconds: number) =>
    new Problem("unavailable", detail, { retryAfterSeconds, cause: error });
  if (error instanceof Overloaded) return new Problem("overloaded", undefined, { retryAfterSeconds: 1 });
  if (error instanceof BlobMissing || (error instanceof ChildRefused && error.refusal.name === "IndexUnusable"))
    return unavailable(
      "The model's index is missing or damaged. Restore the blob store from a copy, or train again.",
      60,
    );
  if (error instanceof ChildTimedOut)
    return unavailable("The question took too long to answer. Ask it in fewer words, or try again.", 5);
  if (error instanceof ChildEnded)
    return unavailable("The process that answers ended under the question. Try again.", 1);
  return error;
}

function asCitation({ documentId, title, start, end, quote, textSha256 }: ReadCitation) {
  return { training_data_id: documentId, title, start, end, quote, text_sha256: textSha256 };
}
