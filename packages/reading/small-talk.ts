import { detectLanguage, words } from "@caigun/text";
import phrases from "./small-talk.json" with { type: "json" };

export type SmallTalkKind = "greeting" | "thanks" | "farewell";
/** What a message that asks nothing is replied to with; `reply` is in the message's language and quotes nothing. */
export interface SmallTalk {
  kind: SmallTalkKind;
  reply: string;
}

interface Language {
  /** Longest first. `kind` is null for what stands beside the others and says nothing alone, such as "there" or "so much". */
  phrases: { text: string; kind: SmallTalkKind | null; opens: boolean }[];
  replies: Record<SmallTalkKind, string>;
}

const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}ー]/u;
/** What sets a greeting off from what follows. */
const SEPARATOR = /[,.!?;:~…，。！？；：、～\n]+\s*|(?<=\s)[-–—]+\s+/gu;
/** The longest message that can be small talk, and the longest greeting before a question, in UTF-16 units. */
const LONGEST = 80;
/** As much of what follows a greeting as tells its language; UTF-16 units. */
const LONGEST_FOLLOWING = 400;
const MOST_WORDS = 4;

const languages: Language[] = Object.values(phrases).map((lists) => {
  const of = (kind: SmallTalkKind | null, texts: readonly string[], opens = false) =>
    texts.map((text) => ({ text: bare(text), kind, opens }));
  return {
    phrases: [
      ...of("greeting", lists.greetings),
      ...of("thanks", lists.thanks),
      ...of("farewell", lists.farewells),
      ...of(null, lists.beside),
      ...of(null, lists.openers, true),
    ].sort((a, b) => b.text.length - a.text.length),
    replies: { greeting: lists.greet, thanks: lists.welcome, farewell: lists.goodbye },
  };
});

/** What to reply to a message that is nothing but a greeting, thanks or a farewell; undefined where it says more. */
export function smallTalk(message: string): SmallTalk | undefined {
  const found = recognise(message);
  return found && { kind: found.kind, reply: found.language.replies[found.kind] };
}

/**
 * The message without the greeting before its question and the thanks after it, which would be searched for as words;
 * as it is where it has none, or nothing else.
 */
export function withoutSmallTalk(message: string): string {
  const parts = splitAtSeparators(message);
  let first = 0;
  let last = parts.length - 1;
  while (first < last && recognise(parts[first]!.text)) first += 1;
  while (last > first && recognise(parts[last]!.text)) last -= 1;
  const isWhole = first === 0 && last >= parts.length - 1;
  const rest = isWhole ? message : message.slice(parts[first]!.start, parts[last]!.endWithSeparator).trim();
  return recognise(rest) ? message : withoutUnseparatedGreeting(rest);
}

/** "hi when do you open", "你好請問幾點開門": a greeting goes only where what follows shows that it is one. */
function withoutUnseparatedGreeting(text: string): string {
  const beginning = SPACELESS.test(text.slice(0, 1)) ? openerEnd(text) : greetingEnd(text);
  return beginning === 0 ? text : text.slice(beginning).trimStart() || text;
}

function openerEnd(text: string): number {
  for (let end = Math.min(text.length - 1, LONGEST / 4); end > 0; end--)
    if (recognise(text.slice(0, end))?.endsInOpener) return end;
  return 0;
}

/** A greeting followed by a word such as "when" or "is": before another it may be a part of a name ("Hello Kitty"). */
function greetingEnd(text: string): number {
  const spaces = [...text.slice(0, LONGEST).matchAll(/(?<=[\p{L}\p{M}])\s+(?=[\p{L}\p{N}])/gu)].slice(0, MOST_WORDS);
  for (const { index, 0: space } of spaces.reverse()) {
    // A question that has begun is no part of the greeting ("ahoj ¿A qué hora...").
    if (text.slice(0, index).includes("¿") || !recognise(text.slice(0, index))) continue;
    const follows = index + space.length;
    const rest = text.slice(follows, follows + LONGEST_FOLLOWING);
    if (words(rest, detectLanguage(rest))[0]?.common) return follows;
  }
  return 0;
}

function recognise(message: string) {
  if (message.length > LONGEST) return undefined;
  const text = bare(message);
  for (const language of languages) {
    const found = consume(text, language);
    if (found) return { ...found, language };
  }
  return undefined;
}

/** Whether a language's phrases, one after another, are all that a text holds; its kind is that of the last one. */
function consume(text: string, { phrases }: Language): { kind: SmallTalkKind; endsInOpener: boolean } | undefined {
  let kind: SmallTalkKind | undefined;
  let endsInOpener = false;
  for (let at = 0; at < text.length; ) {
    if (text[at] === " ") {
      at += 1;
      continue;
    }
    const phrase = phrases.find(
      (phrase) => text.startsWith(phrase.text, at) && endsAWord(text, at + phrase.text.length),
    );
    if (!phrase) return undefined;
    kind = phrase.kind ?? kind;
    endsInOpener = phrase.opens;
    at += phrase.text.length;
  }
  return kind && { kind, endsInOpener };
}

function endsAWord(text: string, end: number): boolean {
  return end === text.length || text[end] === " " || SPACELESS.test(text[end - 1]!);
}

/** Lower-cased letters and digits with one space between words; "hellooo" is "hello". */
function bare(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/(\p{L})\1{2,}/gu, "$1")
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
}

function splitAtSeparators(text: string): { text: string; start: number; endWithSeparator: number }[] {
  const parts: { text: string; start: number; endWithSeparator: number }[] = [];
  let start = 0;
  for (const { index, 0: separator } of text.matchAll(SEPARATOR)) {
    const end = index + separator.length;
    if (index > start) parts.push({ text: text.slice(start, index), start, endWithSeparator: end });
    start = end;
  }
  if (start < text.length) parts.push({ text: text.slice(start), start, endWithSeparator: text.length });
  return parts;
}
