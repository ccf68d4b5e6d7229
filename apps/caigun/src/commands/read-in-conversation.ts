import type { Reading } from "@caigun/reading";
import type { Asked } from "./resolve-question.ts";

/** How a conversation's question is read; what `Read` holds is what the reader says to it. */
export type ConversationReader<Read> = {
  read(question: string): Promise<Read>;
  /** What a writer makes of the question, so that it is understood alone; undefined: nothing of use, or there is no writer. */
  rewritten(asked: Asked): Promise<string | undefined>;
};

/**
 * What the texts say to a question, as the rules take it or as a writer puts it: of the two what the reader is surer of.
 * The writer is asked only where the question's form says that it leans on an earlier one, or where the texts hold nothing
 * to it as it is, so that it may lean on one without a sign of it. Throws what reading and writing throw.
 */
export async function readInConversation<Read extends Pick<Reading, "answered" | "confidence">>(
  { read, rewritten }: ConversationReader<Read>,
  asked: Asked,
): Promise<{ question: string; reading: Read }> {
  const byRules = { question: asked.question, reading: await read(asked.question) };
  if (asked.before.length === 0 || !(asked.leans || !byRules.reading.answered)) return byRules;
  const question = await rewritten(asked);
  if (question === undefined || question === asked.question) return byRules;
  const byWriter = { question, reading: await read(question) };
  return byWriter.reading.confidence >= byRules.reading.confidence ? byWriter : byRules;
}
