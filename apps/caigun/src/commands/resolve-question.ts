import type { Input } from "@caigun/contract";
import { mayFollowUp, resolveFollowUp, withoutSmallTalk } from "@caigun/reading";
import { type Db, listMessages, type Message } from "../store/index.ts";
import type { Caller } from "./caller.ts";

/** How long a question is in people's minds, so that the next one can lean on it, ms. */
const IN_MIND_MS = 60 * 60_000;
/** Greetings and thanks between a question and its follow-up are passed over; this many messages are looked at. */
const LOOKED_AT = 4;

/**
 * What is searched for where a person says something: the greeting put aside, and a follow-up ("and on Sundays?") taken
 * together with the question that it leans on. The conversation is looked at only where a question may lean on it.
 */
export async function resolveQuestion(
  db: Db,
  { chatbotId }: Pick<Caller, "chatbotId">,
  { text, uid }: Pick<Input<"converse">, "text" | "uid">,
): Promise<string> {
  const question = withoutSmallTalk(text);
  if (!mayFollowUp(question)) return question;
  const startAt = new Date(Date.now() - IN_MIND_MS);
  const messages = await listMessages(db, chatbotId, { uid, startAt, offset: 0, limit: LOOKED_AT });
  return resolveFollowUp(
    question,
    messages.map(questionOf).find((asked) => asked !== undefined),
  );
}

/** A message's question as it was resolved itself, so that a follow-up of a follow-up finds all that was meant. */
function questionOf({ receive, kwargs }: Message): string | undefined {
  if ("small_talk" in kwargs) return undefined;
  return typeof kwargs.question === "string" ? kwargs.question : withoutSmallTalk(receive);
}
