import type { DatabaseSync, StatementSync } from "node:sqlite";
import { withoutDiacritics } from "@caigun/text";
import { editDistance } from "./edit-distance.ts";
import { type Slip, singleSlip } from "./slips.ts";

/*
 * A word that is one slip away from another shares its first half or, with
 * the first letter, its last half: both are ranges of a sorted column, so that a look-up reads some hundred words of
 * 200,000. A table of all words with a letter left out (SymSpell) would be quicker by tenths of a millisecond, and five
 * times as large.
 */

/** Comes after all letters. */
const LAST = "\uffff";
const SHORTEST_SPELLING = 4;
const LONGEST_SPELLING = 40;
// A short word with another letter in it is as likely another word.
const SHORTEST_UNUSUAL = 6;
const SHORTEST_TWOFOLD = 9;
// One letter of an alphabet is a small part of a word; of a syllabary or a script without vowels it may be half of it.
const ALPHABETIC =
  /^(?:(?![\u{10000}-\u{10ffff}])[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Georgian}\p{M}])+$/u;
const POSSESSIVE = /['’]\p{L}?$/u;

/** The part of a word (as `words` cuts them) that can be misspelt; undefined where it is short, or no word of an alphabet. */
export function spellable(word: string): string | undefined {
  const bare = word.replace(POSSESSIVE, "");
  const isOfLength = bare.length >= SHORTEST_SPELLING && bare.length <= LONGEST_SPELLING;
  return isOfLength && ALPHABETIC.test(bare) ? bare : undefined;
}

/** Collects the spellings of some texts and writes them to an index. */
export class SpellingWriter {
  readonly #occurrences = new Map<string, number>();

  add(word: string): void {
    const lower = word.toLowerCase();
    this.#occurrences.set(lower, (this.#occurrences.get(lower) ?? 0) + 1);
  }

  /** The same words give the same bytes. Of two that differ in their marks alone, the more frequent is kept. */
  write(db: DatabaseSync): void {
    const spellings = new Map<string, string>();
    for (const [lower, occurrences] of [...this.#occurrences].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const bare = spellable(lower);
      if (bare === undefined) continue;
      const word = withoutDiacritics(bare);
      const known = spellings.get(word);
      if (known === undefined || occurrences > (this.#occurrences.get(known) ?? 0)) spellings.set(word, bare);
    }
    const insertWord = db.prepare("INSERT INTO spellings VALUES (?, ?)");
    const insertTurned = db.prepare("INSERT INTO spellings_by_end VALUES (?)");
    const words = [...spellings.keys()].sort();
    for (const word of words) insertWord.run(word, spellings.get(word) === word ? null : spellings.get(word)!);
    for (const turned of words.map(turn).sort()) insertTurned.run(turned);
  }
}

/**
 * The spellings of an index. A word that is one slip away from another shares its first half or, with the first letter,
 * its last half: both are ranges of a sorted column, so that a look-up reads some hundred words of 200,000. A table of
 * all words with each letter left out in turn (SymSpell) would be quicker, and several times as large as the words.
 */
export class Spellings {
  readonly #byBeginning: StatementSync;
  readonly #byEnd: StatementSync;
  readonly #written: StatementSync;

  constructor(db: DatabaseSync) {
    const range = (table: string, column: string) =>
      db.prepare(
        `SELECT ${column} AS word FROM ${table} WHERE ${column} >= ? AND ${column} < ? AND length(${column}) BETWEEN ? AND ?`,
      );
    this.#byBeginning = range("spellings", "word");
    this.#byEnd = range("spellings_by_end", "turned");
    this.#written = db.prepare("SELECT ifnull(written, word) AS written FROM spellings WHERE word = ?");
  }

  /**
   * The spellings (lower-case, as the texts have them) of which a word may be a slip, all of the likeliest kind: with its
   * first letter and one slip, or for a long word two in the same half of it.
   */
  near(word: string): string[] {
    const typed = withoutDiacritics(word.toLowerCase());
    const single = this.#sharingHalf(typed, 1).map((word) => ({ word, slip: singleSlip(word, typed) }));
    const withSlip = (sought: Slip) => single.filter(({ slip }) => slip === sought).map(({ word }) => word);
    let near = withSlip("usual");
    if (near.length === 0 && typed.length >= SHORTEST_UNUSUAL) near = withSlip("unusual");
    if (near.length === 0 && typed.length >= SHORTEST_TWOFOLD)
      near = this.#sharingHalf(typed, 2).filter((word) => editDistance(word, typed, 2) === 2);
    return near.map((word) => String(this.#written.get(word)!.written));
  }

  /** The words that have the first or the last half of another, and so many letters more or less at most. */
  #sharingHalf(typed: string, letters: number): string[] {
    // Two neighbours may be swapped where the halves meet: one letter is in neither.
    const beginning = typed.slice(0, Math.ceil((typed.length - 1) / 2));
    const end = turn(typed).slice(0, 1 + Math.floor((typed.length - 1) / 2));
    const lengths = [typed.length - letters, typed.length + letters];
    const byBeginning = this.#byBeginning.all(beginning, beginning + LAST, ...lengths);
    const byEnd = this.#byEnd.all(end, end + LAST, ...lengths);
    const found = [...byBeginning.map(({ word }) => String(word)), ...byEnd.map(({ word }) => turn(String(word)))];
    return [...new Set(found)].sort();
  }
}

/** The first letter, then the others from the last to the second; turned twice, a word is itself. */
const turn = (word: string) => word.slice(0, 1) + [...word.slice(1)].reverse().join("");
