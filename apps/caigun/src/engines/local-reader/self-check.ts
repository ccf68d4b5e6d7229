import type { SelfCheck } from "@caigun/contract";
import type { PassageIndex } from "@caigun/passages";
import { clozeFrom, foreignQuestions, queryFrom, type Reading } from "@caigun/reading";

/** Sentences that are asked about, spread over the text: these take a tenth of a second on a text of 1 MB. */
const ASKED_SENTENCES = 40;

export type Ask = (question: string) => Reading | Promise<Reading>;

/**
 * Asks a model about its own text, and about other things. `seed` (hexadecimal, such as the index's digest) chooses
 * the sentences: the same index is asked the same.
 */
export async function checkSelf(index: PassageIndex, ask: Ask, seed: string): Promise<SelfCheck> {
  const { passages, documents } = index.summary();
  const languages = new Map(documents.map(({ id, language }) => [id, language]));
  const check = { sentences: 0, sentences_found: 0, clozes: 0, clozes_answered: 0, foreign: 0, foreign_refused: 0 };
  const turn = Number.parseInt(seed.slice(0, 8), 16) || 0;
  for (const [nth, { sentence, documentId }] of sentencesOf(index, passages, turn).entries()) {
    const language = languages.get(documentId)!;
    const query = queryFrom(sentence, language, turn + nth);
    if (query !== undefined) {
      check.sentences++;
      const { candidate } = await ask(query);
      if (candidate.citations[0]?.quote.includes(sentence)) check.sentences_found++;
    }
    const cloze = clozeFrom(sentence, language, turn + nth);
    if (cloze) {
      check.clozes++;
      const { answered, candidate } = await ask(cloze.question);
      if (answered && plain(candidate.text).includes(plain(cloze.answer))) check.clozes_answered++;
    }
  }
  const mainLanguage = documents.toSorted((a, b) => b.passages - a.passages)[0]?.language ?? "";
  for (const question of foreignQuestions(mainLanguage)) {
    check.foreign++;
    if (!(await ask(question)).answered) check.foreign_refused++;
  }
  return check;
}

/** Sentences that may be quoted, as sent: some of each passage, or of a long text one of each of some passages. */
function sentencesOf(index: PassageIndex, passages: number, turn: number): { sentence: string; documentId: string }[] {
  const chosen = spread(passages, ASKED_SENTENCES, turn);
  const found = chosen.flatMap((number) => {
    const { text, sentences, answerStart, documentId } = index.passageAt(number);
    const quotable = sentences.filter(({ start }) => start >= answerStart);
    return spread(quotable.length, Math.ceil(ASKED_SENTENCES / chosen.length), turn + number).map((at) => ({
      sentence: text.slice(quotable[at]!.start, quotable[at]!.end),
      documentId,
    }));
  });
  return spread(found.length, ASKED_SENTENCES, turn).map((at) => found[at]!);
}

/** So many numbers below a count, evenly apart; `turn` says where they begin. */
function spread(count: number, wanted: number, turn: number): number[] {
  if (count <= wanted) return Array.from({ length: count }, (_, at) => at);
  const step = count / wanted;
  const first = turn % Math.floor(step);
  return Array.from({ length: wanted }, (_, at) => Math.floor(first + at * step));
}

/** What a reply and an answer are compared in: the answer is of the normalised text, the reply of the text as sent. */
const plain = (text: string) => text.normalize("NFKC").replace(/\s+/gu, " ");
