import { detectLanguage, foldHan, normalise, words } from "@caigun/text";
import { type Patterns, patternsOf } from "./patterns.ts";
import { type Value, type ValueRange, valuesOf } from "./values.ts";
import { type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** A word that claims something; UTF-16 offsets in the statement's text. */
export interface Token {
  term: string;
  start: number;
  end: number;
  /** How much it says: a word 1, a Han character less. */
  weight: number;
  /** Written with a capital though no sentence begins with it. */
  isName: boolean;
  /** One more thing in a list: a word such as "and" stands before it. */
  isJoined: boolean;
}

/** A part of a statement between marks: what belongs together in it. */
export interface Part {
  /** Of the statement's text, where its numbers are blanks. */
  text: string;
  start: number;
  tokens: Token[];
  values: Value[];
  light: ReadonlySet<string>;
  /** Whether an odd number of negations stands in it. */
  isNegative: boolean;
}

export interface OrderMark {
  start: number;
  end: number;
  isBefore: boolean;
}

/** A text taken apart into what can be right or wrong about it. */
export interface Statement {
  text: string;
  tokens: Token[];
  values: Value[];
  ranges: ValueRange[];
  clauses: Part[];
  /** Smaller than clauses: the stretches that numbers belong to. */
  segments: Part[];
  orders: OrderMark[];
  /** Where a later one of several steps begins, if one does. */
  laterStep: number | undefined;
  /** The stretches of the text, as their offsets, that hold under a condition only. */
  conditional: { start: number; end: number }[];
  isUniversal: boolean;
  isExclusive: boolean;
  attaches: Vocabulary["attaches"];
}

const HAN = /\p{Script=Han}/u;
const HAN_WEIGHT = 0.6;
const HAN_WORD = /^\p{Script=Han}+$/u;

/** Takes a text in a language apart; by default in its own. */
export function statementOf(source: string, language = detectLanguage(source)): Statement {
  const normal = normalise(source).text;
  const text = HAN.test(normal) ? foldHan(normal) : normal;
  const vocabulary = vocabularyOf(language);
  const patterns = patternsOf(vocabulary);
  const unbounded = blank(text, patterns.bounds);
  const { values, ranges } = valuesOf(text, vocabulary);
  const valueless = values.reduce(
    (rest, { start, end }) => rest.slice(0, start) + " ".repeat(end - start) + rest.slice(end),
    unbounded,
  );
  const light = lightTerms(language, vocabulary);
  const tokens = tokensOf(valueless, language, light, patterns);
  const cut = (ends: RegExp) => partsOf(valueless, { tokens, values, light }, patterns.negative, ends);
  return {
    text,
    tokens,
    values,
    ranges,
    clauses: cut(patterns.clauseEnd),
    segments: withoutEmpty(cut(patterns.segmentEnd)),
    orders: ordersOf(valueless, language, patterns),
    laterStep: firstMatch(valueless, patterns.laterSteps)?.index,
    conditional: conditionalIn(valueless, patterns),
    isUniversal: firstMatch(valueless, patterns.universal) !== undefined,
    isExclusive: firstMatch(valueless, patterns.exclusive) !== undefined,
    attaches: vocabulary.attaches,
  };
}

const lightByLanguage = new Map<string, ReadonlySet<string>>();

function lightTerms(language: string, vocabulary: Vocabulary): ReadonlySet<string> {
  let terms = lightByLanguage.get(language);
  if (!terms) {
    terms = new Set(vocabulary.light.map((word) => words(word, language)[0]?.term ?? word));
    lightByLanguage.set(language, terms);
  }
  return terms;
}

function blank(text: string, pattern: RegExp): string {
  return text.replace(pattern, (found) => " ".repeat(found.length));
}

function firstMatch(text: string, pattern: RegExp): RegExpExecArray | undefined {
  return text.matchAll(pattern).next().value;
}

/** Within a longer word of a script without spaces only its end can be meant: not in 早餐, but in 饭后. */
function ordersOf(text: string, language: string, { order, before }: Patterns): OrderMark[] {
  const ends = new Set(words(text, language).map(({ pair, end }) => (pair ? -1 : end)));
  return [...text.matchAll(order)]
    .map(({ index, 0: mark }) => ({ start: index, end: index + mark.length, isBefore: before.test(mark) }))
    .filter(({ end }) => ends.has(end));
}

/** What is neither a number, nor says how the others are meant, nor is so common that it says nothing. */
function tokensOf(text: string, language: string, light: ReadonlySet<string>, patterns: Patterns): Token[] {
  const found: Token[] = [];
  const meant = [
    patterns.negative,
    patterns.universal,
    patterns.exclusive,
    patterns.joins,
    patterns.breaks,
    patterns.laterSteps,
  ]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map((match) => ({ start: match.index, end: match.index + match[0].length }))
    .concat(ordersOf(text, language, patterns));
  for (const { term, start, end, common, pair } of words(text, language)) {
    const written = text.slice(start, end);
    if (pair || /^\p{Script=Latin}$/u.test(written)) continue;
    const isHan = HAN_WORD.test(written);
    // Of "check-in" both halves matter.
    const isCompound = text[start - 1] === "-" || text[end] === "-";
    if ((common && !isCompound) || light.has(term)) continue;
    if (meant.some((word) => (isHan ? word.start < end && word.end > start : word.start <= start && word.end >= end)))
      continue;
    const before = text.slice(0, start);
    found.push({
      term,
      start,
      end,
      weight: isHan ? written.length * HAN_WEIGHT : 1,
      isName: /^\p{Lu}/u.test(written) && !/(?:^|[.!?。！？]["”’)]*\s*)$/u.test(before),
      isJoined: firstMatch(text.slice(found.at(-1)?.end ?? start, start), patterns.joins) !== undefined,
    });
  }
  return found;
}

function partsOf(
  text: string,
  { tokens, values, light }: Pick<Part, "tokens" | "values" | "light">,
  negative: RegExp,
  ends: RegExp,
): Part[] {
  const parts: Part[] = [];
  let from = 0;
  const add = (to: number) => {
    const within = ({ start }: { start: number }) => start >= from && start < to;
    parts.push({
      text: text.slice(from, to),
      start: from,
      tokens: tokens.filter(within),
      values: values.filter(within),
      light,
      isNegative: [...text.slice(from, to).matchAll(negative)].length % 2 === 1,
    });
    from = to;
  };
  for (const { index, 0: mark } of text.matchAll(ends)) add(index + mark.length);
  add(text.length);
  return parts.filter((part) => part.tokens.length + part.values.length > 0);
}

function conditionalIn(text: string, { conditions, reachEnd }: Patterns): { start: number; end: number }[] {
  const ends = [...text.matchAll(reachEnd)].map(({ index, 0: mark }) => index + mark.length);
  const stretches = [...ends, text.length].map((end, at) => ({ start: ends[at - 1] ?? 0, end }));
  return stretches.filter(({ start, end }) => firstMatch(text.slice(start, end), conditions) !== undefined);
}

/** "Mondays and Wednesdays": a part without a word of its own belongs to the one before it. */
function withoutEmpty(parts: Part[]): Part[] {
  const full: Part[] = [];
  for (const part of parts) {
    const previous = full.at(-1);
    if (part.tokens.length > 0 || !previous) full.push({ ...part, values: [...part.values] });
    else previous.values.push(...part.values);
  }
  return full;
}
