import { SPACELESS, type Span, sentences, words } from "@caigun/text";
import { mayAnswerOf } from "./answer-kind.ts";

/** What separates the parts of a sentence, a list or a table. */
const BETWEEN = /[,;:()[\]"“”，、；：（）「」『』—–|\t\n]/u;

const LETTER = `(?![${SPACELESS}])[\\p{L}\\p{M}\\p{N}]`;
/** "don't", "yin-yoga", "3.5", "9:00", "1,000", "1 000", "€12–€15", "US$5": what is written as one. */
const JOINT = [
  "['’.\\-‐‑/&@_]",
  "(?<=\\p{N})[,:](?=\\p{N})",
  "(?<=(?<!\\p{N})\\p{N}{1,3})\\s(?=\\p{N}{3}(?!\\p{N}))",
  "(?<=[\\p{N}\\p{Sc}])[–−](?=[\\p{N}\\p{Sc}])",
  "\\p{Sc}(?=\\p{N})",
].join("|");
const BEFORE_NUMBER = "(?:(?<![\\p{L}\\p{N}])[+−-](?=[\\p{N}\\p{Sc}]))?(?:\\p{Sc}\\s?(?=\\p{N}))?";
/** "12 %", "12 €", "20 °C", "9:00 a.m.". */
const AFTER_NUMBER = `(?<=\\p{N})\\s?(?:[%‰]|\\p{Sc}(?!\\s?\\p{N})|°\\s?[CF]?|[ap]\\.?m\\b)`;
/** The last full stop of "U.S." and "a.m.". */
const LAST_STOP = `(?<=(?<!${LETTER})\\p{L}(?:\\.\\p{L})+)\\.`;
const UNIT = new RegExp(
  `${BEFORE_NUMBER}(?:${LETTER})+(?:(?:${JOINT})+(?:${LETTER})+)*(?:${AFTER_NUMBER})?(?:${LAST_STOP})?`,
  "giu",
);

/** A stretch that is never cut: words that are written as one, a number with its sign, a time; UTF-16 offsets. */
interface Unit extends Span {
  terms: string[];
  /** Says little in its language. */
  common: boolean;
}

/**
 * The words of a quote that most likely answer: of each part of it that says something of what is asked, or of the part
 * after one that says nothing else, the words that the question does not hold. Where a number, a time or a date is asked
 * for, of these parts those with one; where none of them has one, all parts that have. UTF-16 offsets in the quote.
 */
export function answeringWords(question: string, quote: string, language: string): Span[] {
  const asked = new Set(words(question, language).map(({ term }) => term));
  const isAsked = ({ terms }: Unit) => terms.every((term) => asked.has(term));
  const told = partsOf(quote, language).map((part) => ({
    runs: newRuns(part, isAsked),
    asked: part.some(({ terms, common }) => !common && terms.some((term) => asked.has(term))),
  }));
  const near = told.filter((one, at) => {
    const before = told[at - 1];
    return one.asked || (before?.asked && before.runs.length === 0);
  });
  const mayAnswer = mayAnswerOf(question, language);
  const answering = [near, told]
    .map((parts) => parts.filter(({ runs }) => runs.some(({ start, end }) => mayAnswer(quote.slice(start, end)))))
    .find((parts) => parts.length > 0);
  const asksForNumber = !mayAnswer("");
  return ((asksForNumber && answering) || near).flatMap(({ runs }) => runs);
}

function partsOf(quote: string, language: string): Unit[][] {
  const parts: Unit[][] = [];
  const starts = sentences(quote).map(({ start }) => start);
  let reached = 0;
  for (const unit of unitsOf(quote, language)) {
    const begins = starts.some((start) => reached <= start && start <= unit.start);
    if (parts.length === 0 || begins || BETWEEN.test(quote.slice(reached, unit.start))) parts.push([]);
    parts.at(-1)!.push(unit);
    reached = unit.end;
  }
  return parts;
}

function unitsOf(quote: string, language: string): Unit[] {
  const units: Unit[] = [];
  const written = Array.from(quote.matchAll(UNIT), ({ index, 0: unit }) => ({
    start: index,
    end: index + unit.length,
  }));
  let next = 0;
  for (const { start, end, term, common, part, pair } of words(quote, language)) {
    if (part || pair) continue;
    const last = units.at(-1);
    if (last && end <= last.end) {
      last.terms.push(term);
      last.common &&= common;
      continue;
    }
    while (next < written.length && written[next]!.end <= start) next += 1;
    const whole = written[next];
    const span = whole && whole.start <= start && end <= whole.end ? whole : { start, end };
    units.push({ ...span, terms: [term], common });
  }
  return units;
}

/** Neighbouring units that the question does not hold, without the common words at their ends. */
function newRuns(part: readonly Unit[], isAsked: (unit: Unit) => boolean): Span[] {
  const runs: Unit[][] = [[]];
  for (const unit of part) {
    if (isAsked(unit) && !unit.common) runs.push([]);
    else runs.at(-1)!.push(unit);
  }
  return runs.flatMap((run) => {
    const telling = run.filter(({ common }) => !common);
    return telling.length === 0 ? [] : [{ start: telling[0]!.start, end: telling.at(-1)!.end }];
  });
}
