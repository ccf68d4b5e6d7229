import { detectLanguage } from "@caigun/text";
import { type Statement, statementOf } from "./statement.ts";
import { coverage, objection, type Reason } from "./support.ts";

/** What a sentence may rest on: a passage, and where its sentences stand in it (UTF-16 offsets). */
export interface CheckedPassage {
  text: string;
  sentences: readonly { start: number; end: number }[];
}

export type Verdict =
  | {
      supported: true;
      /** Indexes of the passage, and of the sentences of it that hold what was written. */
      passage: number;
      sentences: number[];
    }
  | { supported: false; reason: Reason };

/** Two sentences of a passage are looked at together only where they stand this near each other. */
const FARTHEST_APART = 4;

/** Checks sentences one after another against the same passages. */
export class Checker {
  readonly #passages: readonly PreparedPassage[];

  constructor(passages: readonly CheckedPassage[]) {
    this.#passages = passages.map((passage) => new PreparedPassage(passage));
  }

  /** Whether one passage says all that the sentence says, in one of its sentences or in two of them together. */
  check(sentence: string): Verdict {
    let closest = { covered: -1, reason: "empty" as Reason };
    for (const [index, passage] of this.#passages.entries()) {
      const stated = statementOf(sentence, passage.language);
      for (const sentences of passage.choices) {
        const held = passage.statement(sentences);
        const reason = objection(stated, held, passage.whole);
        if (!reason) return { supported: true, passage: index, sentences };
        const covered = coverage(stated, held);
        if (covered > closest.covered) closest = { covered, reason };
      }
    }
    return { supported: false, reason: closest.reason };
  }
}

/** What each sentence is supported by, or why it is not. */
export function checkSentences(sentences: readonly string[], passages: readonly CheckedPassage[]): Verdict[] {
  const checker = new Checker(passages);
  return sentences.map((sentence) => checker.check(sentence));
}

class PreparedPassage {
  readonly language: string;
  readonly whole: Statement;
  /** Each sentence alone, then each two that stand near each other. */
  readonly choices: readonly number[][];
  readonly #passage: CheckedPassage;
  readonly #statements = new Map<string, Statement>();

  constructor(passage: CheckedPassage) {
    this.#passage = passage;
    this.language = detectLanguage(passage.text);
    this.whole = statementOf(passage.text, this.language);
    const all = passage.sentences.map((_, index) => index);
    const pairs = all.flatMap((one) =>
      all.filter((other) => other > one && other - one <= FARTHEST_APART).map((other) => [one, other]),
    );
    this.choices = [...all.map((index) => [index]), ...pairs];
  }

  statement(sentences: readonly number[]): Statement {
    const key = sentences.join();
    let found = this.#statements.get(key);
    if (!found) {
      const texts = sentences.map((index) => {
        const { start, end } = this.#passage.sentences[index]!;
        return this.#passage.text.slice(start, end);
      });
      found = statementOf(texts.join("\n"), this.language);
      this.#statements.set(key, found);
    }
    return found;
  }
}
