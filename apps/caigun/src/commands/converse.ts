import { type Input, Problem } from "@caigun/contract";
import { type SmallTalk, smallTalk } from "@caigun/reading";
import { READER } from "../engines/engines.ts";
import type { AskReply } from "../engines/local-reader/messages.ts";
import type { Writer } from "../engines/writers/writer.ts";
import { type CurrentModel, currentModel, newId } from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";
import { asCitation, type ConversationReply, type Drafted, keepAndSend, type Turn } from "./keep-reply.ts";
import { noteUnanswered } from "./note-unanswered.ts";
import { readInConversation } from "./read-in-conversation.ts";
import { readQuestion } from "./read-question.ts";
import { replyInWords } from "./reply-in-words.ts";
import { type Asked, resolveQuestion } from "./resolve-question.ts";
import { rewrittenQuestion } from "./rewritten-question.ts";
import { writerOf } from "./writer-of.ts";

/** How often a question is read anew because something was deleted under it, before it is told to come back. */
const MOST_READINGS = 3;

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
  let { model } = caller;
  let asked: SmallTalk | Asked | undefined = pleasantry;
  for (let reading = 1; reading <= MOST_READINGS; reading++) {
    if (!model) throw new Problem("no_model");
    const turn: Turn = { house, caller, input, model, hooks, at: new Date() };
    const writer = pleasantry ? undefined : await writerOf(house, caller.settings, model);
    asked ??= await resolveQuestion(db, caller, input, { forWriter: writer?.followsInstructions === true });
    const reply =
      "kind" in asked
        ? await sendAsItIs(turn, replyToSmallTalk(model, asked))
        : await replyToQuestion(turn, asked, writer);
    if (reply) return reply;
    model = await currentModel(db, caller.chatbotId);
  }
  throw new Problem("unavailable", "The chatbot's texts are changing. Ask again.", { retryAfterSeconds: 1 });
}

/** The reply, sent; undefined where something of the model was deleted since it was asked, and nothing went out. */
async function replyToQuestion(
  turn: Turn,
  asked: Asked,
  writer: Writer | undefined,
): Promise<ConversationReply | undefined> {
  const { house, caller, input, model, hooks } = turn;
  const { question, reading } = await readInConversation(
    {
      read: (question) =>
        readQuestion(house, model, question, caller.settings, { withTexts: writer !== undefined }, hooks.signal),
      rewritten: async (asked) =>
        writer?.followsInstructions ? rewrittenQuestion(house, writer, asked, hooks.signal) : undefined,
    },
    asked,
  );
  const drafted = {
    reply: replyFrom(reading, turn),
    kwargs: reading.question === input.text ? {} : { question: reading.question },
  };
  // A writer words what the texts hold; that they hold it, the reader alone decides.
  const reply = await (writer && reading.answered
    ? replyInWords(turn, writer, question, reading, drafted)
    : sendAsItIs(turn, drafted));
  if (reply) await noteUnanswered(house, caller, { question, reading, closest: closestOf(reading), modelId: model.id });
  return reply;
}

async function sendAsItIs(turn: Turn, drafted: Drafted): Promise<ConversationReply | undefined> {
  return (await keepAndSend(turn, drafted)) ? drafted.reply : undefined;
}

/**
 * Counts as answered, for nothing was asked that the texts lack, and it must not come upon the list of what they lack.
 * It quotes nothing, so it has no citations; the kwargs say why.
 */
function replyToSmallTalk(model: CurrentModel, { kind, reply: text }: SmallTalk): Drafted {
  const reply = { text, answered: true, citations: [], ...repliedBy(model), message_id: newId() };
  return { reply, kwargs: { small_talk: kind } };
}

/** What one model's texts say to the question, in their own words, or that they don't. */
function replyFrom(reading: AskReply, { caller, model, input }: Turn): ConversationReply {
  return {
    text: reading.answered ? reading.text : (caller.settings.refusal ?? reading.text),
    answered: reading.answered,
    citations: reading.citations.map(asCitation),
    ...repliedBy(model),
    message_id: newId(),
    ...(input.explain && {
      question: reading.question,
      confidence: reading.confidence,
      retrieval: reading.retrieval,
      candidate: { text: reading.candidate.text, citations: closestOf(reading) },
      passages: reading.passages.map(({ documentId, start, end, score }) => ({
        training_data_id: documentId,
        start,
        end,
        score,
      })),
    }),
  };
}

/** Which model replies, in its texts' own words. Another base than was asked for is told with each reply. */
const repliedBy = ({ id, base, baseBecause }: CurrentModel) => ({
  engine: READER,
  model_id: id,
  ...(base !== null && { base, base_because: baseBecause }),
});

/** What comes closest to an answer, whether it is one or not. */
const closestOf = ({ candidate }: AskReply) => candidate.citations.map(asCitation);
