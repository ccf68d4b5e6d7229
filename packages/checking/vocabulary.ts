import lists from "./vocabulary.json" with { type: "json" };

/** The words of one language that the check looks for; Chinese ones in Simplified characters. */
export interface Vocabulary {
  numerals: Readonly<Record<string, number>>;
  /** What the numeral before it is multiplied by. */
  scales: Readonly<Record<string, number>>;
  /** In each dimension, what one of the unit is in the dimension's base. */
  units: readonly { dimension: string; words: Readonly<Record<string, number>> }[];
  /** What makes a unit after it a rate ("per month"). */
  rates: readonly string[];
  ranges: readonly string[];
  /** What stands before a number below zero, besides the sign. */
  minus: readonly string[];
  /** What follows the hour of a clock time. */
  hours: readonly string[];
  morning: readonly string[];
  evening: readonly string[];
  /** Weekdays and months, by a name that all languages share. */
  calendar: Readonly<Record<string, readonly string[]>>;
  /** Limits that are worded as negations ("no more than"), which are none. */
  bounds: readonly string[];
  /** What turns a clause into its opposite, and the lower pole of pairs such as more and less. */
  negative: readonly string[];
  universal: readonly string[];
  /** What makes a clause hold in some cases only. */
  conditions: readonly string[];
  exclusive: readonly string[];
  before: readonly string[];
  after: readonly string[];
  /** Where the words of order have what they refer to. */
  attaches: "next" | "previous";
  /** What opens a later one of several steps. */
  laterSteps: readonly string[];
  /** What adds one more thing to a list. */
  joins: readonly string[];
  /** What begins another clause. */
  breaks: readonly string[];
  /** Words that claim nothing of their own. */
  light: readonly string[];
}

const EMPTY: Vocabulary = {
  numerals: {},
  scales: {},
  units: [],
  rates: [],
  ranges: ["-", "–"],
  minus: [],
  hours: [],
  morning: [],
  evening: [],
  calendar: {},
  bounds: [],
  negative: [],
  universal: [],
  conditions: [],
  exclusive: [],
  before: [],
  after: [],
  attaches: "next",
  laterSteps: [],
  joins: [],
  breaks: [],
  light: [],
};

const { mul, ...byLanguage } = lists as unknown as { mul: Pick<Vocabulary, "units"> } & Record<
  string,
  Partial<Vocabulary>
>;

const known = new Map<string, Vocabulary>();

/** The lists of a language, with the signs that all languages share; where a language has none, those signs alone. */
export function vocabularyOf(language: string): Vocabulary {
  let vocabulary = known.get(language);
  if (!vocabulary) {
    const own = { ...EMPTY, ...byLanguage[language] };
    vocabulary = { ...own, units: [...mul.units, ...own.units] };
    known.set(language, vocabulary);
  }
  return vocabulary;
}
