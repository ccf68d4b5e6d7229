import { codePointCount, detectLanguage, itemMarkLength, tablesOf } from "@caigun/text";
import { answerAskedVerbatim } from "./asked-verbatim.ts";
import { confidenceOf, type Strictness, thresholdOf } from "./confidence.ts";
import type { Evidence } from "./evidence.ts";
import { antecedentOf, type Extent, wholeOf } from "./extent.ts";
import { type FitName, fitNamed } from "./fits.ts";
import { answeringWords } from "./highlight.ts";
import { bestSecond, type Candidate, rankCandidates } from "./ranking.ts";
import { refusalFor } from "./refusals.ts";
import { isHeadOf, tableParts } from "./tables.ts";

/** Where a sentence of the reply stands: code points of the document as sent; the quote is exactly that slice. */
export interface Citation {
  documentId: string;
  title: string;
  /** Of the document in UTF-8, in hexadecimal. */
  textSha256: string;
  start: number;
  end: number;
  quote: string;
  /** The words of it that most likely answer; code points of the document. */
  highlight: { start: number; end: number }[];
}

export interface Quotation {
  text: string;
  citations: Citation[];
}

export interface Reading extends Quotation {
  answered: boolean;
  /** The probability (0..1) that the text holds the answer. */
  confidence: number;
  /** The confidence below which the question is refused. */
  threshold: number;
  /** Up to two sentences, the best one first, each with its citation, whether refused or not. */
  candidate: Quotation;
  /** The passages that were read, best first; offsets in code points of the document as sent. */
  passages: { documentId: string; start: number; end: number; score: number }[];
}

export interface ReadingOptions {
  /** How many sentences of the candidate the reply has at most; 1 where it is left out. */
  maxSentences?: 1 | 2;
  strictness?: Strictness;
  /** Instead of strictness: the confidence below which to refuse. */
  threshold?: number;
  /** Which learned weights; "shipped" where it is left out. */
  fit?: FitName;
}

const SHOWN_PASSAGES = 5;
/** Of a question, that words of a quote are compared with. */
const LONGEST_MARKED = 2_000;
const CELL = /[\t|]/;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]/u;

/** Answers a question from the passages that a search found, by quoting, or refuses. */
export function read(question: string, evidence: Evidence, options: ReadingOptions = {}): Reading {
  const fit = fitNamed(options.fit ?? "shipped");
  const all = rankCandidates(evidence, fit, question.slice(0, LONGEST_MARKED));
  const verbatim = answerAskedVerbatim(all, evidence, question.slice(0, LONGEST_MARKED));
  const ranked = verbatim ? [verbatim, ...all.filter((candidate) => candidate !== verbatim)] : all;
  const first = ranked[0];
  const second = bestSecond(ranked, evidence);
  const chosen = [first, second].filter((candidate) => candidate !== undefined);
  const confidence = verbatim ? 1 : confidenceOf(first, evidence, fit);
  const threshold = options.threshold ?? thresholdOf(options.strictness ?? "normal", evidence, fit);
  const answered = confidence >= threshold && first !== undefined;
  const language = detectLanguage(question.slice(0, LONGEST_MARKED), { unsure: evidence.query.language });
  const quoted = (extents: Extent[]) => quote(extents, question.slice(0, LONGEST_MARKED), language);
  return {
    answered,
    confidence,
    threshold,
    ...(answered
      ? quoted(replyOf(chosen.slice(0, options.maxSentences ?? 1), evidence))
      : { text: refusalFor(question, evidence.query.language, evidence.passages[0]?.text), citations: [] }),
    candidate: quoted(withoutRepetition(chosen.flatMap(wholeOf))),
    passages: evidence.passages
      .slice(0, SHOWN_PASSAGES)
      .map(({ documentId, start, end, score }) => ({ documentId, start, end, score })),
  };
}

/** What is sent: each candidate whole, after the sentence that it refers to. */
function replyOf(chosen: Candidate[], { query }: Evidence): Extent[] {
  const extents = chosen.flatMap((candidate) => {
    const antecedent = antecedentOf(candidate, query.language);
    return antecedent ? [antecedent, ...wholeOf(candidate)] : wholeOf(candidate);
  });
  return withoutRepetition(extents);
}

/** Leaves out what lies within something that is quoted before. */
function withoutRepetition(extents: Extent[]): Extent[] {
  return extents.filter(
    ({ passage, start, end }, at) =>
      !extents.slice(0, at).some((before) => before.passage === passage && before.start <= start && end <= before.end),
  );
}

function quote(extents: Extent[], question: string, language: string): Quotation {
  let text = "";
  for (const [at, extent] of extents.entries()) {
    const said = saidOf(extent, extents[at + 1]);
    if (said === "") continue;
    const areLines = [text, said].some((part) => part.includes("\n") || CELL.test(part));
    const joint = areLines ? "\n" : UNSPACED.test(lastCharacter(text)) ? "" : " ";
    text += text === "" ? said : joint + said;
  }
  return { text, citations: extents.map((extent) => cite(extent, question, language)) };
}

/** What people read of an extent; nothing where it is the head of a table that what follows shows beside a row. */
function saidOf({ passage, start, end }: Extent, next: Extent | undefined): string {
  if (next?.passage === passage && tablesOf(passage.text).some((table) => isHeadOf(table, { start, end }))) return "";
  const lines = tableParts(passage.text, start, end).flatMap(({ said, isRow }) => (isRow ? [said] : linesOf(said)));
  return lines.map(onOneLine).join("\n");
}

/** The lines that mean something: items of a list and rows of a table. Where prose is wrapped means nothing. */
function linesOf(quote: string): string[] {
  const lines: string[] = [];
  for (const line of quote.split("\n")) {
    if (lines.length === 0 || itemMarkLength(line, true) > 0 || CELL.test(line)) lines.push(line);
    else lines.push(`${lines.pop()}\n${line}`);
  }
  return lines;
}

/** White space becomes one space, and a line end between two characters of a script without spaces nothing. */
function onOneLine(quote: string): string {
  return quote.trim().replace(/\s+/gu, (blank, at: number, whole: string) => {
    if (!blank.includes("\n")) return " ";
    const before = lastCharacter(whole.slice(Math.max(0, at - 2), at));
    const after = whole.slice(at + blank.length, at + blank.length + 2);
    return UNSPACED.test(before) && UNSPACED.test(String.fromCodePoint(after.codePointAt(0)!)) ? "" : " ";
  });
}

function lastCharacter(text: string): string {
  return [...text.slice(-2)].at(-1) ?? "";
}

function cite({ passage, start, end }: Extent, question: string, language: string): Citation {
  const quote = passage.text.slice(start, end);
  const from = passage.start + codePointCount(passage.text.slice(0, start));
  const place = (offset: number) => from + codePointCount(quote.slice(0, offset));
  return {
    documentId: passage.documentId,
    title: passage.title,
    textSha256: passage.textSha256,
    start: from,
    end: from + codePointCount(quote),
    quote,
    highlight: answeringWords(question, quote, language).map((span) => ({
      start: place(span.start),
      end: place(span.end),
    })),
  };
}
