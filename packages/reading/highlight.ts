import { type Span, type Word, words } from "@caigun/text";

/** What separates the parts of a sentence, a list or a table. */
const BETWEEN = /[,;:.!?()[\]"“”，、；：。！？（）「」『』—–|\t\n]/u;

/**
 * The words of a quote that most likely answer: of each part of it that says something of what is asked, or of the part
 * after one that says nothing else, the words that the question does not hold. UTF-16 offsets in the quote.
 */
export function answeringWords(question: string, quote: string, language: string): Span[] {
  const asked = new Set(words(question, language).map(({ term }) => term));
  const told = partsOf(quote, language).map((part) => ({
    part,
    asked: part.some(({ term, common }) => asked.has(term) && !common),
    isNew: part.some(({ term, common }) => !asked.has(term) && !common),
  }));
  const chosen = told.filter((one, at) => {
    const before = told[at - 1];
    return one.isNew && (one.asked || (before?.asked && !before.isNew));
  });
  return chosen.flatMap(({ part }) => newRuns(part, asked));
}

function partsOf(quote: string, language: string): Word[][] {
  const parts: Word[][] = [];
  let reached = 0;
  for (const word of words(quote, language)) {
    if (word.part || word.pair) continue;
    if (parts.length === 0 || BETWEEN.test(quote.slice(reached, word.start))) parts.push([]);
    parts.at(-1)!.push(word);
    reached = word.end;
  }
  return parts;
}

/** Neighbouring words that the question does not hold, without the common words at their ends. */
function newRuns(part: readonly Word[], asked: ReadonlySet<string>): Span[] {
  const runs: Word[][] = [[]];
  for (const word of part) {
    if (asked.has(word.term)) runs.push([]);
    else runs.at(-1)!.push(word);
  }
  return runs.flatMap((run) => {
    const telling = run.filter(({ common }) => !common);
    return telling.length === 0 ? [] : [{ start: telling[0]!.start, end: telling.at(-1)!.end }];
  });
}
