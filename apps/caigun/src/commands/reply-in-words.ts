import type { AskReply } from "../engines/local-reader/messages.ts";
import type { Writer } from "../engines/writers/writer.ts";
import {
  asCitation,
  type ConversationReply,
  type Drafted,
  keep,
  keepAndSend,
  keepMore,
  type Turn,
} from "./keep-reply.ts";
import { supportedSentences, type Wording } from "./supported-sentences.ts";
import { writerNotReached } from "./writer-of.ts";

const UNSPACED_END = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]$/u;
/** Outcomes of a writer that was reached, whatever its words were worth. */
const REACHED: ReadonlySet<Wording["outcome"]> = new Set([
  "written",
  "unsupported",
  "declined",
  "unfinished",
  "too_long",
]);

/**
 * Replies in a writer's words, where each sentence goes out once it is checked and kept; with the reader's reply, drafted
 * already, where nothing is left of them. A reply that repeated requests get too goes out as a whole. Undefined: something
 * of the model was deleted since it was asked, and nothing went out.
 */
export async function replyInWords(
  turn: Turn,
  writer: Writer,
  question: string,
  reading: AskReply,
  drafted: Drafted,
): Promise<ConversationReply | undefined> {
  const { house, input, hooks } = turn;
  const { emit, recordReply, signal } = hooks;
  const wording: Wording = { writer: writer.name, outcome: "unsupported", sent: 0, dropped: 0 };
  const worded = (reply: ConversationReply): Drafted => ({
    reply: { ...reply, ...(input.explain && { wording: { ...wording } }) },
    kwargs: { ...drafted.kwargs, wording: { ...wording } },
  });
  let reply: ConversationReply = { ...drafted.reply, text: "", citations: [], engine: writer.name };
  let isBegun = false;
  for await (const { text, citations } of supportedSentences(house, writer, question, reading, wording, signal)) {
    const piece = reply.text === "" || UNSPACED_END.test(reply.text) ? text : ` ${text}`;
    const longer = {
      ...reply,
      text: reply.text + piece,
      citations: [...reply.citations, ...citations.map(asCitation)],
    };
    if (emit && !recordReply) {
      const isKept = isBegun ? await keepMore(turn, worded(longer)) : await keep(turn, worded(longer));
      // What has been read stands; nothing follows it from a model that has changed since.
      if (!isKept) {
        if (!isBegun) return undefined;
        break;
      }
      isBegun = true;
      await emit(piece);
    }
    reply = longer;
  }
  if (isBegun) return worded(reply).reply;
  if (reply.text === "") {
    if (house.strictEngines && !REACHED.has(wording.outcome)) throw writerNotReached(writer.name);
    reply = drafted.reply;
  }
  const whole = worded(reply);
  return (await keepAndSend(turn, whole)) ? whole.reply : undefined;
}
