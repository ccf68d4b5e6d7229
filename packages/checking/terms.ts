import type { Token } from "./statement.ts";

/** Letters that two forms of a word share at least. */
const SHARED_STEM = 5;
/** What a Han word counts (0..1) whose characters stand in the text, but not side by side. */
const SCATTERED = 0.7;

/** The words of a text, to look others up in. */
export class Terms {
  readonly #terms: ReadonlySet<string>;
  readonly #text: string;

  constructor({ tokens, text }: { tokens: Token[]; text?: string }) {
    this.#terms = new Set(tokens.map(({ term }) => term));
    this.#text = text ?? tokens.map(({ term }) => term).join(" ");
  }

  /** How much of a word stands here, 0..1: of a Han word the share of its characters. */
  share({ term, weight }: Token): number {
    if (this.#terms.has(term)) return 1;
    if (/^\p{Script=Han}+$/u.test(term)) {
      if (this.#text.includes(term)) return 1;
      const characters = [...term];
      return (SCATTERED * characters.filter((character) => this.#text.includes(character)).length) / characters.length;
    }
    if (weight < 1 || term.length < SHARED_STEM) return 0;
    for (const other of this.#terms) if (shareStem(term, other)) return 1;
    return 0;
  }

  has(token: Token): boolean {
    return this.share(token) === 1;
  }
}

/** Whether two words are forms of one, as far as their beginning tells. */
export function shareStem(one: string, other: string): boolean {
  const shorter = Math.min(one.length, other.length);
  const needed = Math.max(SHARED_STEM, shorter - 2);
  return shorter >= needed && one.slice(0, needed) === other.slice(0, needed);
}
