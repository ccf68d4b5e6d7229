import type { Reply } from "@caigun/contract";
import { fixedSentences } from "./fixed-sentences.ts";
import { comparable, containsGold } from "./measures.ts";
import type { Asking, Role } from "./parts.ts";
import type { PastedText } from "./pasted-text.ts";
import type { Place } from "./squad.ts";

/** What one reply was worth. Lengths in code points; null where it can't be told. */
export interface Outcome {
  role: Role;
  article: number;
  /** At which place among the ranked passages one covers the gold answer; null where the answer stands nowhere. */
  passageRank: number | null;
  passageChars: number[];
  contains1: boolean;
  contains2: boolean;
  chars1: number;
  chars2: number;
  /** Of the shortest sentence of the gold passage that holds the gold answer. */
  goldSentenceChars: number | null;
  citations: number;
  exactCitations: number;
  /** Whether a citation that holds the gold answer lies in the gold passage. */
  citesGold: boolean;
  confidence: number;
  answered: boolean;
}

/** Compares one reply with the gold answer and with the text that its model was trained on. */
export function outcomeOf({ role, question }: Asking, text: PastedText, reply: Reply<"converse">): Outcome {
  const { answered, passages = [] } = reply;
  if (reply.citations.length > 0 && !reply.candidate)
    throw new Error("The server's reply is without the fields of explain=true.");
  // What the server takes for a greeting it answers without looking: a wrong answer, given without doubt.
  const candidate = reply.candidate ?? { text: "", citations: [] };
  const confidence = reply.confidence ?? (answered ? 1 : 0);
  const paragraph = text.placeOf(question);
  const golds = paragraph ? question.places.map(({ start, end }) => shifted({ start, end }, paragraph.start)) : [];
  const rank = passages.findIndex((passage) => golds.some((gold) => covers(passage, gold)));
  const sentences = candidateSentences(candidate);
  const [first, firstTwo] = [sentences.slice(0, 1).join(""), sentences.slice(0, 2).join(" ")];
  const citations = [...reply.citations, ...candidate.citations];
  const goldSentences = paragraph
    ? fixedSentences(text.slice(paragraph)).filter((sentence) => containsGold(sentence, question.answers))
    : [];
  return {
    role,
    article: question.article,
    passageRank: golds.length === 0 ? null : rank < 0 ? Number.POSITIVE_INFINITY : rank + 1,
    passageChars: passages.map(({ start, end }) => end - start),
    contains1: containsGold(first, question.answers),
    contains2: containsGold(firstTwo, question.answers),
    chars1: codePoints(first),
    chars2: codePoints(firstTwo),
    goldSentenceChars: goldSentences.length === 0 ? null : Math.min(...goldSentences.map(codePoints)),
    citations: citations.length,
    exactCitations: citations.filter((one) => one.text_sha256 === text.sha256 && text.slice(one) === one.quote).length,
    citesGold: candidate.citations.some(
      (citation) =>
        paragraph !== undefined && covers(paragraph, citation) && containsGold(citation.quote, question.answers),
    ),
    confidence,
    answered,
  };
}

/**
 * The candidate's sentences. Where it consists of quotes, those are what is cut: the candidate shows a quoted list or
 * table on one line, and each of its lines counts.
 */
function candidateSentences({ text, citations }: NonNullable<Reply<"converse">["candidate"]>): string[] {
  const quotes = citations.map(({ quote }) => quote);
  return comparable(quotes.join("")) === comparable(text) ? quotes.flatMap(fixedSentences) : fixedSentences(text);
}

const shifted = ({ start, end }: Place, by: number) => ({ start: start + by, end: end + by });
const covers = (outer: Place, inner: Place) => outer.start <= inner.start && inner.end <= outer.end;
const codePoints = (text: string) => [...text].length;
