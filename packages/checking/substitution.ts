import type { Part } from "./statement.ts";
import { shareStem } from "./terms.ts";

/** What is compared word by word, Han character by character; a number is one blank. */
type Atom = string;

const ATOM = /\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{M}\p{N}'’])+/gu;
const LONGEST_REPLACED = 4;
/** The share of a clause (0..1) that is the same in both, for what differs to be a replacement in it. */
const LEAST_SAME = 0.5;

/**
 * Whether a clause repeats a held one with something else in one place ("sent to Leeds", "sent to York"): words that
 * the held clause lacks stand where it has others.
 */
export function replaces(stated: Part, held: Part): boolean {
  const one = atomsOf(stated);
  const other = atomsOf(held);
  const pairs = longestCommon(one, other);
  if (pairs.length < LEAST_SAME * one.length) return false;
  const heldWords = new Set(other);
  const same = new Set(pairs.map(([at]) => at));
  const moved = new Set(one.filter((_, at) => !same.has(at)));
  const claims = claimsOf(stated);
  const heldClaims = claimsOf(held);
  const [names, heldNames] = [namesOf(stated), namesOf(held)];
  let [from, heldFrom] = [-1, -1];
  for (const [at, heldAt] of [...pairs, [one.length, other.length] as const]) {
    const written = one.slice(from + 1, at).filter((atom) => claims.has(atom) && !heldWords.has(atom));
    const instead = other.slice(heldFrom + 1, heldAt).filter((atom) => heldClaims.has(atom) && !moved.has(atom));
    const isFlanked = from >= 0 || at < one.length;
    const isShort = at - from - 1 <= LONGEST_REPLACED && heldAt - heldFrom - 1 <= LONGEST_REPLACED;
    // Somebody else is somebody else, however much is said of either.
    const isOfNames = written.some((atom) => names.has(atom)) && instead.some((atom) => heldNames.has(atom));
    if (isFlanked && written.length > 0 && instead.length > 0 && (isShort || isOfNames)) return true;
    [from, heldFrom] = [at, heldAt];
  }
  return false;
}

function claimsOf({ tokens, light }: Part): Set<Atom> {
  return new Set(tokens.flatMap(({ term }) => term.match(ATOM) ?? []).filter((atom) => !light.has(atom)));
}

function namesOf({ tokens }: Part): Set<Atom> {
  return new Set(tokens.filter(({ isName }) => isName).map(({ term }) => term));
}

/** The clause's words; those that claim something as their stems. */
function atomsOf({ text, tokens, start }: Part): Atom[] {
  const stems = new Map(tokens.map(({ start, term }) => [start, term]));
  return [...text.matchAll(ATOM)].map((match) => {
    const stem = stems.get(start + match.index);
    return stem !== undefined && !/^\p{Script=Han}/u.test(stem) ? stem : match[0].toLowerCase();
  });
}

/** The pairs of places of a longest common subsequence. */
function longestCommon(one: readonly Atom[], other: readonly Atom[]): (readonly [number, number])[] {
  const lengths = Array.from({ length: one.length + 1 }, () => new Uint16Array(other.length + 1));
  for (let row = one.length - 1; row >= 0; row--)
    for (let column = other.length - 1; column >= 0; column--)
      lengths[row]![column] = isSame(one[row]!, other[column]!)
        ? lengths[row + 1]![column + 1]! + 1
        : Math.max(lengths[row + 1]![column]!, lengths[row]![column + 1]!);
  const pairs: [number, number][] = [];
  for (let row = 0, column = 0; row < one.length && column < other.length; ) {
    if (isSame(one[row]!, other[column]!)) pairs.push([row++, column++]);
    else if (lengths[row + 1]![column]! >= lengths[row]![column + 1]!) row++;
    else column++;
  }
  return pairs;
}

const isSame = (one: Atom, other: Atom) => one === other || shareStem(one, other);
