import { type Input, Problem, type Reply } from "@caigun/contract";
import {
  answerUnanswered as answerStored,
  dropUnanswered as dropStored,
  findWordings,
  listUnanswered as listStored,
  newId,
} from "../store/index.ts";
import type { Caller, Hooks } from "./caller.ts";
import type { House } from "./house.ts";
import { Utf8Pieces } from "./utf8-pieces.ts";

/** Of a training data's title, in code points; a question can be longer. */
const TITLE_CHARACTERS = 200;

export async function listUnanswered(
  { store }: House,
  { chatbotId }: Caller,
  page: Input<"listUnanswered">,
): Promise<Reply<"listUnanswered">> {
  const groups = await listStored(store.db, chatbotId, page);
  return {
    unanswered: groups.map(({ id, wordings, count, lastAskedAt, closest }) => ({
      id,
      question: wordings[0]!,
      questions: wordings,
      count,
      last_asked_at: lastAskedAt,
      closest: closest as Reply<"listUnanswered">["unanswered"][number]["closest"],
    })),
  };
}

/**
 * Stores the answer as questions and answers, one for each way in which the question was asked, so that each of them
 * finds it. What this returns is on the disk, and held by every training that begins from now on.
 */
export async function answerUnanswered(
  { store, blobs }: House,
  { chatbotId }: Caller,
  { id, text }: Input<"answerUnanswered">,
  { recordReply }: Hooks<Reply<"answerUnanswered">>,
): Promise<Reply<"answerUnanswered">> {
  const trainingDataId = newId();
  return store.db.transaction().execute(async (trx) => {
    // Read here, so that no wording joins the group that the correction lacks.
    const wordings = await findWordings(trx, chatbotId, id);
    if (!wordings) throw new Problem("unanswered_not_found");
    const encoding = new Utf8Pieces(asQuestionsAndAnswers(wordings, text));
    const blob = await blobs.put(encoding);
    const isStored = await answerStored(trx, chatbotId, id, {
      id: trainingDataId,
      type: "text",
      title: [...onOneLine(wordings[0]!)].slice(0, TITLE_CHARACTERS).join(""),
      blobDigest: blob.digest,
      textSha256: blob.digest,
      codePoints: encoding.codePoints,
      bytes: blob.bytes,
    });
    if (!isStored) throw new Problem("unanswered_not_found");
    const reply = { training_data_id: trainingDataId };
    await recordReply?.(trx, reply);
    return reply;
  });
}

export async function dropUnanswered(
  { store }: House,
  { chatbotId }: Caller,
  { id }: Input<"dropUnanswered">,
): Promise<Reply<"dropUnanswered">> {
  if (!(await dropStored(store.db, chatbotId, id))) throw new Problem("unanswered_not_found");
  return { detail: "Delete unanswered question successfully" };
}

/** An empty line would end the answer: what follows it would be a paragraph that answers nothing. */
function asQuestionsAndAnswers(wordings: readonly string[], answer: string): string {
  const inOnePiece = answer.trim().replace(/\s*\n\s*/gu, "\n");
  return wordings.map((question) => `Q: ${onOneLine(question)}\nA: ${inOnePiece}`).join("\n\n");
}

const onOneLine = (text: string) => text.trim().replace(/\s+/gu, " ");
