import { codePointCount, normalise, words } from "@caigun/text";
import { textSha256 } from "./build.ts";
import { IndexUnusable } from "./format.ts";
import type { PassageIndex, RankedPassage } from "./open.ts";

export type Probe = { ok: true; sentences: number } | { ok: false; cause: string };

const SENTENCES_EACH = 5;
const SEARCHED_PASSAGES = 10;

/**
 * Whether an index serves these documents and nothing else: the file is whole, counts and digests agree, the passages
 * hold every character but white space, and sentences taken from each document find the passages that they stand in.
 */
export function probeIndex(index: PassageIndex, documents: readonly { id: string; text: string }[]): Probe {
  try {
    index.checkStructure();
    const { documents: indexed } = index.summary();
    if (indexed.length !== documents.length) {
      return { ok: false, cause: `The index holds ${indexed.length} documents instead of ${documents.length}.` };
    }
    let tried = 0;
    for (const { id, text } of documents) {
      const summary = indexed.find((document) => document.id === id);
      if (!summary) return { ok: false, cause: `The index does not hold the document ${id}.` };
      if (summary.textSha256 !== textSha256(text)) {
        return { ok: false, cause: `The index was built from another text of the document ${id}.` };
      }
      const passages = [...index.passagesOf(id)];
      const uncovered = firstUncovered(text, passages);
      if (uncovered !== undefined) {
        return { ok: false, cause: `The passages of the document ${id} leave out its text at character ${uncovered}.` };
      }
      const { language } = summary;
      const asked = sentencesToTry(passages, language);
      if (asked.length === 0) return { ok: false, cause: `The document ${id} has no words that can be searched.` };
      for (const { sentence, passage } of asked) {
        if (!finds(index, sentence, passage, language)) {
          return { ok: false, cause: `A search for a sentence of the document ${id} does not find its passage.` };
        }
        tried++;
      }
    }
    return { ok: true, sentences: tried };
  } catch (error) {
    if (error instanceof IndexUnusable) return { ok: false, cause: error.message };
    throw error;
  }
}

/** Whether a sentence leads to its passage, or to another that reads the same; far down where many say nearly the same. */
function finds(index: PassageIndex, sentence: string, passage: RankedPassage, language: string): boolean {
  const isSought = (other: RankedPassage) =>
    (other.documentId === passage.documentId && other.ordinal === passage.ordinal) || other.text === passage.text;
  return [SEARCHED_PASSAGES, index.summary().passages].some((limit) =>
    index.search(sentence, limit, { language }).passages.some(isSought),
  );
}

/** The first code point of a text that is neither white space nor in a passage; undefined where there is none. */
function firstUncovered(text: string, passages: readonly RankedPassage[]): number | undefined {
  let offset = 0;
  let codePoint = 0;
  for (const { start, end, text: stored } of passages) {
    const from = offsetAfter(text, offset, start - codePoint);
    if (start < codePoint || !isBlank(text.slice(offset, from))) return codePoint;
    if (!text.startsWith(stored, from) || codePointCount(stored) !== end - start) return start;
    offset = from + stored.length;
    codePoint = end;
  }
  return isBlank(text.slice(offset)) ? undefined : codePoint;
}

function offsetAfter(text: string, offset: number, codePoints: number): number {
  let at = offset;
  for (let count = 0; count < codePoints && at < text.length; count++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

/** White space, control characters and invisible characters: what a passage may leave out at its ends. */
function isBlank(text: string): boolean {
  return /^[\s\p{C}]*$/u.test(text);
}

function sentencesToTry(
  passages: readonly RankedPassage[],
  language: string,
): { sentence: string; passage: RankedPassage }[] {
  const answering = passages.filter((passage) => passage.sentences.some((sentence) => sentence.terms.length > 0));
  // The question may have all the words, and its answer be a mark.
  const worded = answering.length > 0 ? answering : passages.filter(({ text }) => words(text, language).length > 0);
  const step = Math.max(1, worded.length / SENTENCES_EACH);
  const chosen: { sentence: string; passage: RankedPassage }[] = [];
  for (let at = 0; at < worded.length && chosen.length < SENTENCES_EACH; at += step) {
    const passage = worded[Math.floor(at)]!;
    // Normalised, since invisible characters could fill all of a question.
    const sentences = passage.sentences
      .toSorted((a, b) => b.terms.length - a.terms.length)
      .map(({ start, end }) => normalise(passage.text.slice(start, end)).text);
    // The number of an item counts among its words and is not quoted: a line to be filled in has no others.
    const fullest = sentences.find((sentence) => words(sentence, language).length > 0);
    chosen.push({ sentence: fullest ?? normalise(passage.text).text, passage });
  }
  return chosen;
}
