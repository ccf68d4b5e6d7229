import { Checker, instructs } from "@caigun/checking";
import type { Citation } from "@caigun/reading";
import { codePointCount, detectLanguage, words } from "@caigun/text";
import type { AskReply, PassageRead } from "../engines/local-reader/messages.ts";
import { DECLINED, MOST_SENTENCES } from "../engines/writers/prompt.ts";
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

/** Sentences that are looked at: a writer that keeps on writing what isn't supported is not heard out. */
const MOST_CHECKED = 2 * MOST_SENTENCES;
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
  const evidence = reading.texts.map((passage) => ({ passage, sentences: evidenceIn(passage, question, reading) }));
  const checker = new Checker(evidence.map(({ passage: { text }, sentences }) => ({ text, sentences })));
  const request = { question, passages: reading.texts.map(({ text }) => text), signal };
  let checked = 0;
  try {
    for await (const written of sentencesOf(writer.write(request))) {
      if (written.includes(DECLINED)) {
        if (wording.sent === 0) wording.outcome = "declined";
        return;
      }
      const verdict = checker.check(written);
      if (verdict.supported && isPlain(written, reading)) {
        const { passage, sentences } = evidence[verdict.passage]!;
        wording.sent++;
        wording.outcome = "written";
        yield { text: written, citations: verdict.sentences.map((index) => cite(passage, sentences[index]!)) };
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
 * The sentences of a passage that an answer may rest on: those that the reader would quote or that speak of what was
 * asked, and none that tells a machine what to do.
 */
function evidenceIn({ documentId, text, start, sentences }: PassageRead, question: string, { candidate }: AskReply) {
  const language = detectLanguage(question, { unsure: detectLanguage(text) });
  const asked = termsOf(question, language);
  return sentences.filter((span) => {
    const sentence = text.slice(span.start, span.end);
    if (instructs(sentence)) return false;
    const from = start + codePointCount(text.slice(0, span.start));
    const isQuoted = candidate.citations.some(
      (citation) => citation.documentId === documentId && citation.start <= from && from < citation.end,
    );
    return isQuoted || [...termsOf(sentence, language)].some((term) => asked.has(term));
  });
}

function termsOf(text: string, language: string): Set<string> {
  return new Set(words(text, language).flatMap(({ term, common, pair }) => (common || pair ? [] : [term])));
}

/** Without markup, and without a link that the reader would not have quoted. */
function isPlain(written: string, { candidate }: AskReply): boolean {
  return !instructs(written) && (written.match(LINK) ?? []).every((link) => candidate.text.includes(link));
}

function cite(
  { documentId, title, textSha256, text, start }: PassageRead,
  span: { start: number; end: number },
): Citation {
  const quote = text.slice(span.start, span.end);
  const from = start + codePointCount(text.slice(0, span.start));
  return { documentId, title, textSha256, start: from, end: from + codePointCount(quote), quote };
}
