import { Checker, instructs } from "@caigun/checking";
import type { Citation } from "@caigun/reading";
import { codePointCount } from "@caigun/text";
import type { AskReply, PassageRead } from "../engines/local-reader/messages.ts";
import { answerPrompt, DECLINED, MOST_SENTENCES } from "../engines/writers/prompt.ts";
import { sentencesOf } from "../engines/writers/sentences.ts";
import { type FailureReason, type Writer, WriterFailure } from "../engines/writers/writer.ts";
import type { House } from "./house.ts";

/** A sentence of a writer's that what was read supports, and where it does. */
export type WrittenSentence = { text: string; citations: Citation[] };

/** What became of a writer's words: kept with the message. */
export type Wording = {
  writer: Writer["name"];
  /** "unsupported": none of its sentences stood in the text; "declined": it said that the text does not hold the answer. */
  outcome: "written" | "unsupported" | "declined" | FailureReason;
  sent: number;
  dropped: number;
};

/** A sentence that may be rested on, in UTF-16 offsets of its passage; whether it is of what the reader would reply. */
type Evidence = { start: number; end: number; isAnswer: boolean };

/** Sentences that are looked at: a writer that keeps on writing what isn't supported is not heard out. */
const MOST_CHECKED = 2 * MOST_SENTENCES;
const SENTENCE_END = /[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}"'”’]*\s*$/u;
const LINK =
  /(?:https?:|www\.|mailto:|data:|javascript:)\S*|\S+@\S+|[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}\/\S*/giu;

/**
 * The writer's sentences that the passages support, each as soon as it is written. Says in `wording` what became of them,
 * also where the writer fails: that ends the sentences. Throws the signal's reason.
 */
export async function* supportedSentences(
  house: Pick<House, "log">,
  writer: Writer,
  question: string,
  reading: AskReply,
  wording: Wording,
  signal: AbortSignal,
): AsyncGenerator<WrittenSentence> {
  // A passage that nothing may rest on would only lead the writer astray.
  const evidence = reading.texts
    .map((passage) => ({ passage, sentences: evidenceIn(passage, reading) }))
    .filter(({ sentences }) => sentences.length > 0);
  if (evidence.length === 0) return;
  const checker = new Checker(evidence.map(({ passage: { text }, sentences }) => ({ text, sentences })));
  const passages = evidence.map(({ passage }) => passage.text);
  const request = {
    promptWithin: (mostCharacters: number) => answerPrompt(question, passages, mostCharacters),
    grounds: { question, passages },
    signal,
  };
  let checked = 0;
  try {
    for await (const written of sentencesOf(writer.write(request))) {
      if (written.includes(DECLINED)) {
        if (wording.sent === 0) wording.outcome = "declined";
        return;
      }
      // What only learned to go on from a text is held to what it goes on from.
      const verdict = checker.check(written, { inFull: !writer.followsInstructions });
      const { passage, sentences } = evidence[verdict.supported ? verdict.passage : 0] ?? {};
      const rested = verdict.supported ? verdict.sentences.map((index) => sentences![index]!) : [];
      // The first has to say what the reader would reply; what adds to it may rest on the next best sentence.
      const isOfUse = wording.sent > 0 || rested.some(({ isAnswer }) => isAnswer);
      if (passage && verdict.supported && isOfUse && isPlain(written, reading)) {
        wording.sent++;
        wording.outcome = "written";
        yield { text: written, citations: rested.map((span) => cite(passage, span)) };
      } else wording.dropped++;
      if (wording.sent === MOST_SENTENCES || ++checked === MOST_CHECKED) return;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof WriterFailure)) throw error;
    house.log.warn({ writer: writer.name, reason: error.reason, err: error }, "a writer failed");
    // What has been sent stands.
    if (wording.sent === 0) wording.outcome = error.reason;
  }
}

/**
 * The sentences of a passage that an answer may rest on: those that the reader finds best, and of them none that tells a
 * machine what to do. So an engine that obeys what stands in a document can say no more than the reader would quote.
 */
function evidenceIn(
  { documentId, text, start, sentences }: PassageRead,
  { citations, candidate }: AskReply,
): Evidence[] {
  return sentences.flatMap((span) => {
    const from = start + codePointCount(text.slice(0, span.start));
    const holds = (citation: Citation) =>
      citation.documentId === documentId && citation.start <= from && from < citation.end;
    if (!candidate.citations.some(holds) || instructs(text.slice(span.start, span.end))) return [];
    return [{ ...span, isAnswer: citations.some(holds) }];
  });
}

/**
 * A whole sentence without markup, and without a link that the reader would not have quoted: a name or a number alone
 * stands in many passages, and says nothing that could be checked.
 */
function isPlain(written: string, { candidate }: AskReply): boolean {
  return (
    SENTENCE_END.test(written) &&
    !instructs(written) &&
    (written.match(LINK) ?? []).every((link) => candidate.text.includes(link))
  );
}

function cite(
  { documentId, title, textSha256, text, start }: PassageRead,
  span: { start: number; end: number },
): Citation {
  const quote = text.slice(span.start, span.end);
  const from = start + codePointCount(text.slice(0, span.start));
  return { documentId, title, textSha256, start: from, end: from + codePointCount(quote), quote, highlight: [] };
}
