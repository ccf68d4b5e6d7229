// What ends a sentence: marks that need white space after them, or marks that do not; closing quotes belong to them.
const END = /([.!?…؟۔]+|[。！？｡．।॥።։]+)["'”’»›」』】）)\]]*/gu;
const NEEDS_NO_SPACE = /^[。！？｡．।॥።։]/u;
const AFTER_WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u;
const INITIALS = /(?:^|[\s("'“‘[])(?:\p{L}|(?:\p{L}\.)+\p{L})$/u;
const SHORT_FORM =
  /(?:^|[\s("'“‘[])(?:mr|mrs|ms|dr|prof|st|mt|ft|jr|sr|vs|etc|al|cf|fig|no|vol|pp|approx|est|inc|ltd|co|corp|gen|col|lt|sgt|capt|rev|hon|gov|sen|rep|pres|ca|nr|bzw|usw|sra?|dra?|mme|mlle)$/iu;
const NUMBER_OF_ITEM = /^\s*\(?\p{Nd}{1,3}$/u;

/**
 * The sentences of a text, trimmed, in order; each line by itself, and marks alone are none. The evaluation's own, and fixed: figures of two
 * versions of the product can be compared because this does not change with packages/text.
 */
export function fixedSentences(text: string): string[] {
  return text
    .split(/[\n\r\u2028\u2029]+/u)
    .flatMap(sentencesOfLine)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function sentencesOfLine(line: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (const match of line.matchAll(END)) {
    const end = match.index + match[0].length;
    if (!endsSentence(line, match.index, match[1]!, end)) continue;
    found.push(line.slice(start, end));
    start = end;
  }
  found.push(line.slice(start));
  return found;
}

function endsSentence(line: string, at: number, mark: string, end: number): boolean {
  if (NEEDS_NO_SPACE.test(mark)) return true;
  const after = line.slice(end);
  const before = line.slice(0, at);
  if (mark !== "." && AFTER_WIDE.test(before)) return true;
  if (after !== "" && !/^\s/u.test(after)) return false;
  if (/^\s+\p{Ll}/u.test(after)) return false;
  return mark !== "." || !(INITIALS.test(before) || SHORT_FORM.test(before) || NUMBER_OF_ITEM.test(before));
}
