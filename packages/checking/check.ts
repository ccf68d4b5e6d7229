import { detectLanguage } from "@caigun/text";
import { type Statement, statementOf } from "./statement.ts";
import { coverage, objection, type Reason, restates } from "./support.ts";

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

  /**
   * Whether one passage says all that the sentence says, in one of its sentences or in two of them together; with
   * `inFull` also whether the sentence says all that these say: what writes without understanding leaves out what
   * matters ("until one hour before closing", and not what closes).
   */
  check(sentence: string, { inFull = false } = {}): Verdict {
    let closest = { covered: -1, reason: "empty" as Reason };
    for (const [index, passage] of this.#passages.entries()) {
      const language = passage.languageOf(sentence);
      const stated = statementOf(sentence, language);
      const around = passage.whole(language);
      for (const sentences of passage.choices) {
        const held = passage.statement(sentences, language);
        const reason =
          objection(stated, held, around) ?? (inFull && !restates(stated, held) ? ("omission" as const) : undefined);
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

/** UTF-16 units from which the language of a sentence can be told. */
const TELLING_LENGTH = 24;

class PreparedPassage {
  /** Each sentence alone, then each two that stand near each other. */
  readonly choices: readonly number[][];
  readonly #passage: CheckedPassage;
  /** The passage's own, then those of its sentences. */
  readonly #languages: readonly [string, ...string[]];
  readonly #statements = new Map<string, Statement>();

  constructor(passage: CheckedPassage) {
    this.#passage = passage;
    const language = detectLanguage(passage.text);
    const others = this.#texts(passage.sentences.map((_, index) => index))
      .filter((text) => text.length >= TELLING_LENGTH)
      .map((text) => detectLanguage(text, { unsure: language }));
    this.#languages = [language, ...new Set(others.filter((other) => other !== language))];
    const all = passage.sentences.map((_, index) => index);
    const pairs = all.flatMap((one) =>
      all.filter((other) => other > one && other - one <= FARTHEST_APART).map((other) => [one, other]),
    );
    this.choices = [...all.map((index) => [index]), ...pairs];
  }

  /** A text may hold several languages: what is written in one is compared with what stands in that one. */
  languageOf(sentence: string): string {
    return detectLanguage(sentence, { among: this.#languages, unsure: this.#languages[0] });
  }

  whole(language: string): Statement {
    return this.#prepared(language, "", () => this.#passage.text);
  }

  statement(sentences: readonly number[], language: string): Statement {
    return this.#prepared(language, sentences.join(), () => this.#texts(sentences).join("\n"));
  }

  #prepared(language: string, name: string, textOf: () => string): Statement {
    const key = `${language} ${name}`;
    let found = this.#statements.get(key);
    if (!found) {
      found = statementOf(textOf(), language);
      this.#statements.set(key, found);
    }
    return found;
  }

  #texts(sentences: readonly number[]): string[] {
    const { text, sentences: spans } = this.#passage;
    return sentences.map((index) => text.slice(spans[index]!.start, spans[index]!.end));
  }
}
