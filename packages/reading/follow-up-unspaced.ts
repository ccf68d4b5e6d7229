import { words as wordsOf } from "@caigun/text";
import type { FollowUpWords, Leaning } from "./follow-up.ts";

const PUNCTUATION = /[\s\p{P}\p{S}]+/gu;
const END = /[\s?？。！!]*$/u;

/** The longest thing that is named to ask the same of, and what may stand beside a pronoun or a connector. UTF-16 units. */
const LONGEST_PART = 12;
const LONGEST_BESIDE_PRONOUN = 8;
const LONGEST_AFTER_CONNECTOR = 5;
const SHORTEST_NAME = 2;

/** How a question in a script without spaces leans on the one before; undefined: it stands alone. */
export function leaningOf(question: string, words: FollowUpWords): Leaning | undefined {
  const bare = question.replace(PUNCTUATION, "");
  // "那裡" begins like "那".
  const pronounFirst = longestOf(words.pronouns, (pronoun) => bare.startsWith(pronoun));
  const connector = longestOf(words.connectors, (phrase) => bare.startsWith(phrase));
  const leads = connector.length >= pronounFirst.length ? connector : "";
  const ending = longestOf(words.endings, (phrase) => bare.endsWith(phrase));
  const rest = bare.slice(leads.length, bare.length - ending.length);
  const content = [
    [words.exceptions, "x"],
    [words.pronouns, "P"],
    [words.asking, "?"],
    [words.speakers, "S"],
    [words.articles, "_"],
  ].reduce((text, [phrases, mark]) => mask(text, phrases as string[], mark as string), rest);
  const asks = content.includes("?");
  const named = content.replace(/[?SP_]/gu, "");
  // At most a verb stands before it: "怎麼取消它？".
  const pronoun = /^[?S_]*[^?SP_]{0,2}P/u.test(content);
  if (!asks && !pronoun && (leads || ending) && named.length > 0 && named.length <= LONGEST_PART)
    return { kind: "exchange", part: rest };
  // One character is a verb: "可以退嗎？" leaves to the conversation what it is that is taken back.
  if (named.length <= 1 && !content.includes("S")) return asks || pronoun ? { kind: "topic" } : undefined;
  if (pronoun && named.length <= LONGEST_BESIDE_PRONOUN) return { kind: "topic" };
  return leads && asks && named.length <= LONGEST_AFTER_CONNECTOR ? { kind: "topic" } : undefined;
}

/** The earlier question with the part exchanged for what stands in its place there, or added where nothing does. */
export function exchange(before: string, part: string, words: FollowUpWords): string {
  if (before.includes(part)) return before;
  const content = maskAll(before, words);
  const place =
    besideSharedCharacters(content, part) ?? sameQuantity(content, part, words) ?? subject(content, part, words);
  if (!place) return `${before.replace(END, "")}${part}？`;
  const { start, end } = ofWholeCharacters(before, place);
  return before.slice(0, start) + part + before.slice(end);
}

/** UTF-16 units. */
type Place = { start: number; end: number };

function ofWholeCharacters(text: string, { start, end }: Place): Place {
  return { start: cutsCharacter(text, start) ? start - 1 : start, end: cutsCharacter(text, end) ? end + 1 : end };
}

/** Whether a cut there would part the two halves of a surrogate pair. */
function cutsCharacter(text: string, at: number): boolean {
  return at > 0 && text.codePointAt(at - 1)! > 0xffff;
}

/** "週日" for "週六", "金葉會員" for "一般會員": what begins or ends alike is of one kind. */
function besideSharedCharacters(content: string, part: string): Place | undefined {
  for (let size = part.length - 1; size > 0; size--) {
    const endsAt = cutsCharacter(part, part.length - size) ? -1 : content.lastIndexOf(part.slice(-size));
    if (endsAt >= 0) return reach(content, endsAt + size - part.length, endsAt + size);
    const startsAt = cutsCharacter(part, size) ? -1 : content.lastIndexOf(part.slice(0, size));
    if (startsAt >= 0) return reach(content, startsAt, startsAt + part.length);
  }
  return undefined;
}

/** As much of the place as holds content: it must not reach into what asks. */
function reach(content: string, start: number, end: number): Place {
  const from = Math.max(start, 0, content.slice(0, end).lastIndexOf("?") + 1);
  const stop = content.indexOf("?", from);
  return { start: from, end: stop < 0 ? Math.min(end, content.length) : Math.min(end, stop) };
}

/** "四兩" for "一壺". */
function sameQuantity(content: string, part: string, words: FollowUpWords): Place | undefined {
  if (!isNumeral(part[0], words)) return undefined;
  const end = content.split("").findLastIndex((character) => isNumeral(character, words)) + 2;
  let start = end - 2;
  while (start > 0 && isNumeral(content[start - 1], words)) start -= 1;
  return end < 2 ? undefined : { start, end };
}

function isNumeral(character: string | undefined, { numerals }: FollowUpWords): boolean {
  return character !== undefined && (/\p{N}/u.test(character) || numerals.includes(character));
}

/** What the earlier question begins with, as far as it is no longer than the part; where it begins by asking, its one name. */
function subject(content: string, part: string, words: FollowUpWords): Place | undefined {
  const named = wordsOf(content, "und").filter(({ pair }) => !pair);
  const [first] = named;
  if (!first || first.start > 0) return named.length <= 2 ? named.at(-1) : undefined;
  let { end } = first;
  for (const { start, end: next } of named.slice(1)) {
    // Single characters are often halves of a name that the segmenter doesn't know.
    const completes = end < SHORTEST_NAME && next <= SHORTEST_NAME;
    const continues = next - start >= SHORTEST_NAME && next <= part.length && !isNumeral(content[start], words);
    if (start > end || !(completes || continues)) break;
    end = next;
  }
  return { start: 0, end };
}

/** The text with all that names nothing replaced by question marks. */
function maskAll(text: string, { asking, speakers, exceptions }: FollowUpWords): string {
  // An exception keeps its own characters: each is hidden from the other lists, and then put back.
  const hidden = mask(text, exceptions, "\u0000");
  const masked = mask(mask(hidden, asking, "?"), speakers, "?").replace(PUNCTUATION, (found) =>
    "?".repeat(found.length),
  );
  return masked.replaceAll("\u0000", (_, at: number) => text[at]!);
}

/** The text with each of the phrases replaced by as many marks as it has UTF-16 units, the longest first. */
function mask(text: string, phrases: readonly string[], mark: string): string {
  return [...phrases]
    .sort((a, b) => b.length - a.length)
    .reduce((masked, phrase) => masked.replaceAll(phrase, mark.repeat(phrase.length)), text);
}

function longestOf(phrases: readonly string[], fits: (phrase: string) => boolean): string {
  return phrases.filter(fits).reduce((longest, phrase) => (phrase.length > longest.length ? phrase : longest), "");
}
