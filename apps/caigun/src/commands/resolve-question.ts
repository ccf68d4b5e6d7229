import type { Input } from "@caigun/contract";
import { LONGEST_BEFORE, LONGEST_FOLLOW_UP, mayFollowUp, resolveFollowUp, withoutSmallTalk } from "@caigun/reading";
import { type Db, listMessages, type Message } from "../store/index.ts";
import type { Caller } from "./caller.ts";

/** What a person asked, and what was asked before in the same conversation. */
export type Asked = {
  /** As it was said, without a greeting. */
  said: string;
  /** As the rules take it: a follow-up together with the question that it leans on. */
  question: string;
  /** Whether the form of the question says that it may lean on another. */
  leans: boolean;
  /** The questions before it as they were searched for, the latest last; empty where they were not looked at. */
  before: string[];
};

/** How long a question is in people's minds, so that the next one can lean on it, ms. */
const IN_MIND_MS = 60 * 60_000;
/** Greetings and thanks between a question and its follow-up are passed over; this many messages are looked at. */
const LOOKED_AT = 4;

/**
 * What is searched for where a person says something: the greeting put aside, and a follow-up ("and on Sundays?") taken
 * together with the question that it leans on. The conversation is looked at only where a question may lean on it, or,
 * `forWriter`, is short enough for a writer to find that it does.
 */
export async function resolveQuestion(
  db: Db,
  { chatbotId }: Pick<Caller, "chatbotId">,
  { text, uid }: Pick<Input<"converse">, "text" | "uid">,
  { forWriter }: { forWriter: boolean },
): Promise<Asked> {
  const said = withoutSmallTalk(text);
  const leans = mayFollowUp(said);
  if (!leans && !(forWriter && said.length <= LONGEST_FOLLOW_UP)) return { said, question: said, leans, before: [] };
  const startAt = new Date(Date.now() - IN_MIND_MS);
  const messages = await listMessages(db, chatbotId, { uid, startAt, offset: 0, limit: LOOKED_AT });
  const asked = messages.map(questionOf).filter((question) => question !== undefined);
  return {
    said,
    question: resolveFollowUp(said, asked[0]),
    leans,
    before: asked.filter(({ length }) => length <= LONGEST_BEFORE).toReversed(),
  };
}

/** A message's question as it was resolved itself, so that a follow-up of a follow-up finds all that was meant. */
function questionOf({ receive, kwargs }: Message): string | undefined {
  if ("small_talk" in kwargs) return undefined;
  return typeof kwargs.question === "string" ? kwargs.question : withoutSmallTalk(receive);
}
