import type { FollowUpWords, Leaning } from "./follow-up.ts";

interface Token {
  word: string;
  start: number;
  end: number;
}

const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’]\p{L}+)*/gu;
const END = /[\s?？.!]*$/u;

/** The most words with content that a question may have and still mean something said before by "it". */
const MOST_BESIDE_PRONOUN = 4;
const MOST_OF_PART = 4;
const LEAST_ANTICIPATED = 2;
/** "Saturdays" and "Sundays" end alike: things of one kind often do. UTF-16 units. */
const LIKE_ENDING = 3;
const PLURAL = /[^s]s$/u;

/** How a question in a script with spaces leans on the one before; undefined: it stands alone. */
export function leaningOf(question: string, words: FollowUpWords): Leaning | undefined {
  const all = tokensOf(question);
  const phrase = longestMatch(words.connectors, all, (phrase) => startsWith(all, phrase));
  // "And if it rains?": what links the part to its sentence belongs to the part.
  const connector = words.linking.includes(all[phrase - 1]?.word ?? "") ? phrase - 1 : phrase;
  const ending = longestMatch(words.endings, all, (phrase) => endsWith(all, phrase));
  const tokens = all.slice(connector, all.length - ending);
  const first = tokens[0];
  const last = tokens.at(-1);
  if (!first || !last) return undefined;
  const asks = tokens.some(({ word }) => words.asking.includes(word) || words.verbs.includes(word));
  const addresses = tokens.some(({ word }) => words.speakers.includes(word));
  const content = tokens.filter((token) => isContent(token, words)).length;
  const leans = connector > 0 || ending > 0;
  const isLinked = words.linking.includes(first.word);
  // "And if I don't show up?" says all that it asks; what is said of something else must not answer it.
  if (isLinked && !asks && words.speakers.includes(tokens[1]?.word ?? "") && content > 1) return undefined;
  const part = partOfQuestion(tokens, words);
  if (part) return { kind: "exchange", part: question.slice(part.start, last.end) };
  const isPart = !asks && (leans ? isLinked || !addresses : isLinked && !addresses);
  if (isPart && content > 0 && content <= MOST_OF_PART)
    return { kind: "exchange", part: question.slice(first.start, last.end) };
  const pronoun = hasOpenPronoun(tokens, words);
  if (content === 0 && !addresses) return pronoun || asks ? { kind: "topic" } : undefined;
  if (pronoun && content <= MOST_BESIDE_PRONOUN) return { kind: "topic" };
  // "And if I am ill?" leans on what was asked, whoever is spoken of.
  const isBeside = (leans && isLinked) || ((leans || isLinked) && !addresses);
  return isBeside && asks && content <= 1 ? { kind: "topic" } : undefined;
}

/** Of "how much for a week?" the part to exchange: nothing but words that ask stand before it, and no verb. */
function partOfQuestion(tokens: Token[], words: FollowUpWords): Token | undefined {
  const asking = tokens.findIndex(({ word }) => !words.asking.includes(word));
  const part = tokens.slice(asking);
  const named = part.filter((token) => isContent(token, words)).length;
  const isPart =
    asking > 0 &&
    words.linking.includes(part[0]!.word) &&
    !part.some(
      ({ word }) => words.asking.includes(word) || words.verbs.includes(word) || words.speakers.includes(word),
    );
  return isPart && named > 0 && named <= MOST_OF_PART ? part[0] : undefined;
}

/**
 * The earlier question with the part exchanged for what stands in its place there. Where that can't be told the part is
 * added: what is tied to a sentence by a preposition behind it, a thing before it.
 */
export function exchange(before: string, part: string, words: FollowUpWords): string {
  const asked = tokensOf(before);
  const given = tokensOf(part);
  // "the large one" is another of the things that the earlier question names.
  const kept = words.pronouns.includes(given.at(-1)?.word ?? "") ? given.slice(0, -1) : given;
  const named = kept.filter((token) => isContent(token, words));
  const text = kept.length === 0 ? part : part.slice(kept[0]!.start, kept.at(-1)!.end);
  const place =
    afterSameLink(asked, kept, named.length, words) ??
    withSharedWord(asked, named) ??
    withLikeEnding(asked, named, LIKE_ENDING, words) ??
    afterArticle(asked, kept, { size: named.length, keepsThing: kept.length < given.length }, words) ??
    pluralLast(asked, kept, words) ??
    onlyNamed(asked, kept, words);
  if (!place) {
    if (words.linking.includes(kept[0]?.word ?? "")) return `${before.replace(END, "")} ${text}?`;
    return `${text}? ${withoutParts(before, words)}`;
  }
  const replacement = place.withLead ? text : part.slice(named[0]?.start ?? 0, named.at(-1)?.end);
  return before.slice(0, asked[place.from]!.start) + replacement + before.slice(asked[place.to]!.end);
}

/** The first and last word to exchange; `withLead`: with the article or preposition before them. */
type Place = { from: number; to: number; withLead: boolean };

/** "carbon frames" for "steel frames". */
function withSharedWord(asked: Token[], named: Token[]): Place | undefined {
  const last = named.at(-1)?.word;
  const to = asked.findLastIndex(({ word }) => word === last);
  if (to < 0 || named.length < 2) return undefined;
  return { from: Math.max(0, to - named.length + 1), to, withLead: false };
}

/** "on Saturdays" for "on Sundays", "for a week" for "for half a day". */
function afterSameLink(asked: Token[], kept: Token[], size: number, words: FollowUpWords): Place | undefined {
  const link = kept[0]?.word ?? "";
  if (!words.linking.includes(link)) return undefined;
  const from = asked.findLastIndex(
    ({ word }, at) => word === link && isNamed(asked[firstNamed(asked, at + 1, words)], words),
  );
  return from < 0 ? undefined : run(asked, from, firstNamed(asked, from + 1, words), size, words);
}

/** "a trailer" for "the tandem", "a lock" for "insurance". */
function afterArticle(
  asked: Token[],
  kept: Token[],
  { size, keepsThing }: { size: number; keepsThing: boolean },
  words: FollowUpWords,
): Place | undefined {
  if (words.linking.includes(kept[0]?.word ?? "")) return undefined;
  const articles = asked.flatMap(({ word }, at) =>
    words.articles.includes(word) && isNamed(asked[at + 1], words) ? [at] : [],
  );
  // Rather the thing itself than when or where it is asked for.
  const from = articles.find((at) => !words.linking.includes(asked[at - 1]?.word ?? "")) ?? articles[0];
  if (from === undefined) return undefined;
  // "The large one" keeps the thing that it is one of.
  if (keepsThing) return run(asked, from, from + 1, size, words);
  const length = lengthOfThing(asked, from, words);
  return length === undefined ? undefined : { from, to: from + length, withLead: true };
}

/** How many words the thing after an article has; undefined where what follows it can't be told from it. */
function lengthOfThing(asked: Token[], article: number, words: FollowUpWords): number | undefined {
  let length = 1;
  while (isNamed(asked[article + length + 1], words)) length += 1;
  const before = asked[article - 1]?.word ?? "";
  if (length === 1 || words.linking.includes(before)) return length;
  // "How much is the small bag?" and "When is the small hall open?" look alike.
  if (!words.verbs.includes(before) || (words.copulas.includes(before) && article > 1)) return undefined;
  // "Does a city bike cost", "is a helmet included": the verb stands last.
  return length - 1;
}

/** From a word before a name, as many words of the name as the other has, one at least. */
function run(asked: Token[], from: number, firstNamed: number, size: number, words: FollowUpWords): Place {
  let to = firstNamed;
  while (to - firstNamed + 1 < size && isNamed(asked[to + 1], words)) to += 1;
  return { from, to, withLead: true };
}

function firstNamed(asked: Token[], from: number, { articles }: FollowUpWords): number {
  return articles.includes(asked[from]?.word ?? "") ? from + 1 : from;
}

function withLikeEnding(asked: Token[], named: Token[], least: number, words: FollowUpWords): Place | undefined {
  const [only, ...others] = named;
  if (!only || others.length > 0) return undefined;
  // A plural's ending is like every other plural's.
  const comparable = (word: string) => (least > 1 ? word.replace(/s$/u, "") : word);
  const ending = comparable(only.word).slice(-least);
  if (ending.length < least) return undefined;
  const at = asked.findLastIndex(
    (token) => isContent(token, words) && comparable(token.word).endsWith(ending) && token.word !== only.word,
  );
  return at < 0 ? undefined : { from: at, to: at, withLead: false };
}

/** "members" for "students". */
function pluralLast(asked: Token[], kept: Token[], words: FollowUpWords): Place | undefined {
  const [only, ...others] = kept;
  if (!only || others.length > 0 || !PLURAL.test(only.word)) return undefined;
  const at = asked.findLastIndex((token) => isContent(token, words) && PLURAL.test(token.word));
  return at < 0 ? undefined : { from: at, to: at, withLead: false };
}

/** What the earlier question names, where that is one word; which of several is meant can't be told. */
function onlyNamed(asked: Token[], kept: Token[], words: FollowUpWords): Place | undefined {
  if (words.linking.includes(kept[0]?.word ?? "")) return undefined;
  const [only, ...others] = asked.flatMap((token, at) => (isContent(token, words) ? [at] : []));
  return only === undefined || others.length > 0 ? undefined : { from: only, to: only, withLead: true };
}

/** A resolved question without the parts that were put before it, which another takes the place of. */
function withoutParts(question: string, words: FollowUpWords): string {
  const [first = "", ...rest] = question.split(/(?<=[?])\s+/u);
  const asks = tokensOf(first).some(({ word }) => words.asking.includes(word) || words.verbs.includes(word));
  return asks || rest.length === 0 ? question : rest.join(" ");
}

/** A pronoun before which nothing is named that it could stand for, but for a verb right before it ("cancel it"). */
function hasOpenPronoun(tokens: Token[], words: FollowUpWords): boolean {
  const blind = new Set<number>();
  for (const phrase of words.exceptions) {
    const parts = phrase.split(" ");
    for (let at = 0; at + parts.length <= tokens.length; at++)
      if (parts.every((part, offset) => tokens[at + offset]!.word === part))
        for (let offset = 0; offset < parts.length; offset++) blind.add(at + offset);
  }
  const at = tokens.findIndex(({ word }, place) => !blind.has(place) && words.pronouns.includes(word));
  if (at < 0 || tokens.slice(0, Math.max(0, at - 1)).some((token) => isContent(token, words))) return false;
  // "How much is it to wash a bike" says itself what it asks about.
  const anticipates = tokens.findIndex(({ word }, place) => place > at && words.anticipated.includes(word));
  const after = anticipates < 0 ? [] : tokens.slice(anticipates + 1).filter((token) => isContent(token, words));
  return !(after.length >= LEAST_ANTICIPATED && words.verbs.concat(words.asking).includes(tokens[at - 1]?.word ?? ""));
}

const isNamed = (token: Token | undefined, words: FollowUpWords) => token !== undefined && isContent(token, words);

function isContent({ word }: Token, { asking, verbs, speakers, linking, articles, pronouns }: FollowUpWords): boolean {
  return ![asking, verbs, speakers, linking, articles, pronouns].some((list) => list.includes(word));
}

function tokensOf(text: string): Token[] {
  return Array.from(text.matchAll(WORD), ({ index, 0: word }) => ({
    word: word.toLowerCase().replaceAll("’", "'"),
    start: index,
    end: index + word.length,
  }));
}

/** How many words the longest phrase has that fits; never all of them. */
function longestMatch(phrases: string[], tokens: Token[], fits: (phrase: string[]) => boolean): number {
  const lengths = phrases.map((phrase) => phrase.split(" ")).filter((phrase) => phrase.length < tokens.length);
  return Math.max(0, ...lengths.filter(fits).map(({ length }) => length));
}

const startsWith = (tokens: Token[], phrase: string[]) => phrase.every((word, at) => tokens[at]?.word === word);
const endsWith = (tokens: Token[], phrase: string[]) => startsWith(tokens.slice(-phrase.length), phrase);
