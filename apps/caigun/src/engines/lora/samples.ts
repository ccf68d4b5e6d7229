import type { Sample, Tokenizer } from "@caigun/lora";
import type { PassageIndex } from "@caigun/passages";
import { queryFrom } from "@caigun/reading";
import { DECLINED } from "../writers/prompt.ts";
import { fittingPassages, groundedPrompt, passageTokens } from "./prompt.ts";

/** What an adapter learns from a person's own text, and what of it is held out. */
export interface Samples {
  learned: Sample[];
  heldOut: Sample[];
  /** Tokens of the text itself that are learned from. */
  textTokens: number;
}

/** One passage in so many is held out, with all that is made of it; from a long text no more than so many. */
const HELD_OUT_ONE_IN = 12;
const MOST_HELD_OUT = 24;
/** Questions that are made from a passage, and from a whole text: they take no more tokens than the text itself. */
const QUESTIONS_OF_A_PASSAGE = 2;
const MOST_QUESTIONS = 400;
/** One question in so many is asked of a passage that does not hold its answer, and is to be declined. */
const DECLINED_ONE_IN = 6;

type Passage = { text: string; sentences: string[]; documentId: string; language: string };

/**
 * The text itself, stretch by stretch, and questions about its sentences with the passage that answers them, or with
 * another that does not, for sequences of `length` tokens. The same index gives the same samples.
 */
export function samplesFrom(index: PassageIndex, tokenizer: Tokenizer, length: number): Samples {
  const passages = readPassages(index);
  const every = Math.max(HELD_OUT_ONE_IN, Math.ceil(passages.length / MOST_HELD_OUT));
  const isHeldOut = (at: number) => passages.length > 1 && at % every === every - 1;
  const end = tokenizer.eosId === undefined ? [] : [tokenizer.eosId];
  const begin = tokenizer.addsBos && tokenizer.bosId !== undefined ? [tokenizer.bosId] : [];
  const asText = (text: string): Sample => ({
    tokens: [...begin, ...tokenizer.encode(text), ...end],
    supervisedFrom: 1,
  });

  const learned = stretches(passages, isHeldOut).map(asText);
  const textTokens = learned.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const lastIsHeldOut = passages.length > 1 && !passages.some((_, at) => isHeldOut(at));
  const heldOut = passages
    .filter((_, at) => isHeldOut(at) || (lastIsHeldOut && at === passages.length - 1))
    .map(({ text }) => asText(text));

  const asked = (question: string, given: readonly string[], answer: string): Sample => {
    const fitting = fittingPassages(given, passageTokens(length), (text) => tokenizer.encode(text).length);
    const prompt = [...begin, ...tokenizer.encode(groundedPrompt(question, fitting))];
    return { tokens: [...prompt, ...tokenizer.encode(` ${answer}`), ...end], supervisedFrom: prompt.length };
  };
  let [questions, tokens] = [0, 0];
  for (const at of spreadOrder(passages.length)) {
    if (questions >= MOST_QUESTIONS || tokens >= textTokens) break;
    const passage = passages[at]!;
    for (const [nth, sentence] of passage.sentences.slice(0, QUESTIONS_OF_A_PASSAGE).entries()) {
      const question = queryFrom(sentence, passage.language, at + nth);
      if (question === undefined) continue;
      questions++;
      const other = passages[(at + Math.ceil(passages.length / 2)) % passages.length]!;
      const isDeclined = questions % DECLINED_ONE_IN === 0 && other !== passage;
      const sample = isDeclined ? asked(question, [other.text], DECLINED) : asked(question, [passage.text], sentence);
      tokens += sample.tokens.length;
      (isHeldOut(at) ? heldOut : learned).push(sample);
    }
  }
  return { learned, heldOut, textTokens };
}

/** The numbers below n in an order whose beginnings are spread over all of them: steps of the golden ratio. */
function spreadOrder(n: number): number[] {
  const place = (at: number) => (at * GOLDEN_RATIO) % 1;
  return Array.from({ length: n }, (_, at) => at).sort((a, b) => place(a) - place(b));
}

const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;

/** What stands between two passages that are held out, document by document. */
function stretches(passages: readonly Passage[], isHeldOut: (at: number) => boolean): string[] {
  const found: string[][] = [];
  let open: { documentId: string; texts: string[] } | undefined;
  passages.forEach(({ text, documentId }, at) => {
    if (isHeldOut(at)) open = undefined;
    else if (open?.documentId === documentId) open.texts.push(text);
    else {
      open = { documentId, texts: [text] };
      found.push(open.texts);
    }
  });
  return found.map((texts) => texts.join("\n\n"));
}

function readPassages(index: PassageIndex): Passage[] {
  const { documents } = index.summary();
  return documents.flatMap(({ id, language }) =>
    [...index.passagesOf(id)].map(({ text, sentences, answerStart }) => ({
      text: text.trim(),
      sentences: sentences
        .filter(({ start }) => start >= answerStart)
        .map(({ start, end }) => text.slice(start, end).trim()),
      documentId: id,
      language,
    })),
  );
}
