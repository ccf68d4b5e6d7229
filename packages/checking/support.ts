import type { OrderMark, Part, Statement, Token } from "./statement.ts";
import { replaces } from "./substitution.ts";
import { Terms } from "./terms.ts";
import { CALENDAR, sameValue, type Value } from "./values.ts";

/** Why a written sentence is not supported. */
export type Reason =
  | "empty"
  | "number"
  | "name"
  | "claim"
  | "negation"
  | "order"
  | "quantifier"
  | "condition"
  | "omission";

/** The share of what a sentence says (0..1) that has to stand in the text: of 0.62 to 0.75 the strictest that lost nothing on the tuned pairs. */
const LEAST_COVERED = 0.75;
/** The same for each of its parts. */
const LEAST_OF_PART = 0.5;
/** So much in one stretch (a word counts 1) that does not stand in the text is a claim of its own. */
const ADDED_CLAIM = 2;

/** Why the held text does not support what is stated, or undefined where it does. `around` is the whole passage. */
export function objection(stated: Statement, held: Statement, around: Statement): Reason | undefined {
  if (stated.tokens.length + stated.values.length === 0) return "empty";
  if (!stated.values.every((value) => held.values.some((other) => sameValue(value, other)))) return "number";
  if (!rangesHold(stated, held)) return "order";
  return (
    uncovered(stated, new Terms(held), new Terms(around)) ??
    (quantifiersHold(stated, held) ? undefined : "quantifier") ??
    (conditionsHold(stated, held) ? undefined : "condition") ??
    (polarityHolds(stated, held) ? undefined : "negation") ??
    (bindingHolds(stated, held) ? undefined : "number") ??
    (wordsHold(stated, held) ? undefined : "name") ??
    (orderHolds(stated, held) ? undefined : "order")
  );
}

/** The share of a held text (0..1) that a sentence says which says it in full. */
const LEAST_KEPT = 0.8;

/**
 * Whether what is stated is the held text in another order or form: it adds no word, and leaves out neither what the held
 * text begins with, which is mostly what it is about, nor a number, nor much else.
 */
export function restates(stated: Statement, held: Statement): boolean {
  const statedTerms = new Terms(stated);
  return (
    shareCovered(stated.tokens, new Terms(held)) === 1 &&
    shareCovered(held.tokens, statedTerms) >= LEAST_KEPT &&
    held.tokens.slice(0, 1).every((token) => statedTerms.has(token)) &&
    held.values.every((value) => stated.values.some((other) => sameValue(value, other)))
  );
}

/** The share of what is stated that stands in the held text in so many words, 0..1. */
export function coverage(stated: Statement, held: Statement): number {
  return shareCovered(stated.tokens, new Terms(held));
}

function shareCovered(tokens: readonly Token[], held: Terms): number {
  const all = tokens.reduce((sum, { weight }) => sum + weight, 0);
  const found = tokens.reduce((sum, token) => sum + token.weight * held.share(token), 0);
  return all === 0 ? 1 : found / all;
}

function uncovered(stated: Statement, held: Terms, around: Terms): Reason | undefined {
  const { tokens } = stated;
  let run = 0;
  for (const token of tokens) {
    const share = held.share(token);
    const shareAround = share === 1 ? 1 : around.share(token);
    const missing = token.weight * (1 - shareAround);
    if (missing === 0) {
      run = 0;
      continue;
    }
    if (token.isName) return "name";
    run += missing;
    if (run >= ADDED_CLAIM || (token.isJoined && missing === token.weight)) return "claim";
  }
  return shareCovered(tokens, held) < LEAST_COVERED || addsPart(stated, held) ? "claim" : undefined;
}

/** Whether some part says little that stands in the held text. */
function addsPart({ segments }: Statement, held: Terms): boolean {
  return segments.some(({ tokens }) => tokens.length > 0 && shareCovered(tokens, held) < LEAST_OF_PART);
}

function quantifiersHold(stated: Statement, held: Statement): boolean {
  return (!stated.isUniversal || held.isUniversal) && (!stated.isExclusive || held.isExclusive);
}

function rangesHold({ ranges }: Statement, { values }: Statement): boolean {
  return ranges.every(({ from, to }) => {
    const froms = values.filter((value) => sameValue(from, value));
    const tos = values.filter((value) => sameValue(to, value));
    return froms.some((first) => tos.some((second) => second.start > first.start));
  });
}

/** Each clause is as negative as the clause of the held text that it is closest to. */
function polarityHolds(stated: Statement, held: Statement): boolean {
  return stated.clauses.every((clause) => {
    const closest = closestTo(clause, held.clauses);
    return closest.length === 0 || closest.some(({ isNegative }) => isNegative === clause.isNegative);
  });
}

/** What holds there under a condition, or on some days, is not said without; when is said where a sentence has a number or a day of its own. */
function conditionsHold(stated: Statement, held: Statement): boolean {
  if (stated.conditional.length > 0) return true;
  return stated.clauses.every((clause) => {
    const closest = closestTo(clause, held.clauses);
    return (
      closest.length === 0 ||
      closest.some((other) => !isConditional(other, held) && (stated.values.length > 0 || !namesDay(other)))
    );
  });
}

function namesDay({ values }: { values: Value[] }): boolean {
  return values.some(({ kind }) => kind === CALENDAR);
}

function isConditional({ tokens, values }: Part, { conditional }: Statement): boolean {
  const at = (tokens[0] ?? values[0])!.start;
  return conditional.some(({ start, end }) => start <= at && at < end);
}

function wordsHold(stated: Statement, held: Statement): boolean {
  return stated.clauses.every((clause) => {
    const closest = closestTo(clause, held.clauses);
    return closest.length === 0 || closest.some((other) => !replaces(clause, other));
  });
}

/** The parts that share most with one; none where nothing is shared. */
function closestTo(part: Part, others: readonly Part[]): Part[] {
  const rated = others.map((other) => ({ other, closeness: closeness(part, other) }));
  const most = Math.max(...rated.map(({ closeness }) => closeness));
  return rated.filter(({ closeness }) => closeness === most && most > 0).map(({ other }) => other);
}

function closeness(clause: Part, other: Part): number {
  const terms = new Terms(other);
  const shared = clause.tokens.reduce((sum, token) => sum + token.weight * terms.share(token), 0);
  return shared + clause.values.filter((value) => other.values.some((held) => sameValue(value, held))).length;
}

/**
 * A number keeps to what it is said of: it is not taken from one stretch while the words beside it are those of another
 * stretch with a number of the same kind.
 */
function bindingHolds(stated: Statement, held: Statement): boolean {
  return stated.segments.every((segment) =>
    segment.values.every((value) => {
      const homes = held.segments.filter(({ values }) => values.some((other) => sameValue(value, other)));
      return homes.length === 0 || homes.some((home) => !borrows(segment, value, home, held.segments));
    }),
  );
}

function borrows(segment: Part, value: Value, home: Part, others: Part[]): boolean {
  const homeTerms = new Terms(home);
  const foreign = segment.tokens.filter((token) => !homeTerms.has(token));
  const own = new Terms(segment);
  if (foreign.length === 0) return false;
  const isOwn = home.tokens.every((token) => own.has(token));
  // A single character may be all that tells two words apart, and too common to be a word of its own.
  const characters = (home.text.match(/\p{Script=Han}/gu) ?? []).filter((character) => !home.light.has(character));
  if (isOwn && characters.every((character) => segment.text.includes(character))) return false;
  return others.some(
    (other) =>
      other !== home &&
      other.values.some(({ kind }) => kind === value.kind) &&
      !other.values.some((held) => sameValue(value, held)) &&
      foreign.some((token) => new Terms(other).has(token)),
  );
}

type Place = { start: number; end: number };

/** What is said to come before or after something else does so in the held text too. */
function orderHolds(stated: Statement, held: Statement): boolean {
  const heldMarks = held.orders.map((mark) => ({ mark, anchor: anchorsOf(held, mark).proper }));
  for (const mark of stated.orders) {
    const { proper, other: fallback } = anchorsOf(stated, mark);
    const anchor = proper ?? fallback;
    if (!anchor) {
      if (heldMarks.length === 0) return false;
      continue;
    }
    // "Before it": what is meant stands in another sentence.
    if (heldMarks.some(({ mark: other, anchor }) => !anchor && other.isBefore === mark.isBefore)) continue;
    const isAnchor = (other: Anchor | undefined) => other !== undefined && sameAnchor(anchor, other);
    const same = heldMarks.filter(({ anchor: other }) => isAnchor(other));
    if (same.some(({ mark: other }) => other.isBefore === mark.isBefore)) continue;
    if (same.length > 0) return false;
    const rest = stated.tokens.filter((token) => token !== anchor.token);
    const swapped = heldMarks.filter(
      ({ anchor: other }) =>
        other !== undefined && rest.some((token) => sameAnchor({ token, value: undefined }, other)),
    );
    if (swapped.length > 0) {
      if (swapped.every(({ mark: other }) => other.isBefore === mark.isBefore)) return false;
      continue;
    }
    // Numbers are kept to what they are said of elsewhere.
    if (anchor.token && !toldInOrder(held, rest, anchor.token, mark.isBefore)) return false;
  }
  return sequenceHolds(stated, held);
}

interface Anchor {
  token: Token | undefined;
  value: Value | undefined;
}

/** What a mark of order refers to, the word or number beside it; and what stands on its other side. */
function anchorsOf(
  { clauses, attaches }: Statement,
  mark: OrderMark,
): { proper?: Anchor | undefined; other?: Anchor | undefined } {
  const clause = clauses.findLast(({ start }) => start <= mark.start);
  if (!clause) return {};
  const { tokens, values } = clause;
  const next = nearest(
    tokens.find(({ start }) => start >= mark.end),
    values.find(({ start }) => start >= mark.end),
    mark,
  );
  const previous = nearest(
    tokens.findLast(({ end }) => end <= mark.start),
    values.findLast(({ end }) => end <= mark.start),
    mark,
  );
  return attaches === "next" ? { proper: next, other: previous } : { proper: previous, other: next };
}

function nearest(token: Token | undefined, value: Value | undefined, { start }: OrderMark): Anchor | undefined {
  if (!token || !value) return token || value ? { token, value } : undefined;
  const valueIsNearer = Math.abs(value.start - start) < Math.abs(token.start - start);
  return valueIsNearer ? { token: undefined, value } : { token, value: undefined };
}

function sameAnchor(one: Anchor, other: Anchor): boolean {
  if (one.value && other.value) return sameValue(one.value, other.value);
  return one.token !== undefined && other.token !== undefined && new Terms({ tokens: [other.token] }).has(one.token);
}

/** Where the held text has no mark, it tells things in the order in which they happen. */
function toldInOrder(held: Statement, rest: readonly Token[], anchor: Token, isBefore: boolean): boolean {
  const anchorPlace = placeOf(held, anchor);
  const [first] = rest.map((token) => placeOf(held, token)).filter((place) => place !== undefined);
  if (!anchorPlace || !first) return true;
  return isBefore ? first.start <= anchorPlace.start : anchorPlace.start <= first.start;
}

function sequenceHolds(stated: Statement, held: Statement): boolean {
  const { laterStep } = stated;
  if (laterStep === undefined) return true;
  const first = stated.tokens.filter(({ end }) => end <= laterStep);
  const then = stated.tokens.filter(({ start }) => start >= laterStep);
  const lastOnlyOf = (tokens: readonly Token[], others: readonly Token[]) =>
    tokens
      .filter(({ term }) => others.every((other) => other.term !== term))
      .map((token) => placeOf(held, token))
      .findLast((place) => place);
  const one = lastOnlyOf(first, then);
  const other = lastOnlyOf(then, first);
  return !one || !other || one.start <= other.start;
}

function placeOf({ tokens, text }: Statement, token: Token): Place | undefined {
  const found = tokens.find((other) => new Terms({ tokens: [other] }).has(token));
  if (found) return found;
  const at = text.indexOf(token.term);
  return at < 0 ? undefined : { start: at, end: at + token.term.length };
}
