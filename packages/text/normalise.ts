export interface Normalised {
  text: string;
  /**
   * The offset in the sent text of an offset in the normal form (both in UTF-16 units). Monotone; exact wherever a
   * character of the sent text begins or ends, and the beginning of that character elsewhere.
   */
  toSource(offset: number): number;
  /**
   * Like toSource, but where the character before the offset ends: without the invisible characters that follow it,
   * of which there may be any number.
   */
  toSourceEnd(offset: number): number;
}

// Characters that say nothing to a search: soft hyphen, zero-width space, word joiner, byte order mark, directional marks.
const INVISIBLE = /[\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069]/;
// A character and what may combine with it under NFKC: marks, Hangul vowels and finals, half-width voicing marks and
// half-width Hangul. Normalising cluster by cluster makes the result independent of what stands around a passage. At most
// 30 marks (Unicode's stream-safe format): sorting a million of them would take the square of that.
const CLUSTER = /\r\n|[\s\S][\p{M}\u1160-\u11ff\uff9e\uff9f\uffa0-\uffdc]{0,30}/gu;
const TOO_MANY_MARKS = /\p{M}{31}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const UNUSUAL = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u2028\u2029]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is replaced.
const CONTROL = /[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/;

/**
 * Folds a text for searching: NFKC, line ends to \n, odd spaces and control characters to a space, invisible
 * characters dropped, lone surrogates to U+FFFD.
 */
export function normalise(source: string): Normalised {
  const pieces: string[] = [];
  // Where the distance between the two texts changes: from normalAt[i] on, an offset is sourceAt[i] + (offset - normalAt[i]),
  // or sourceAt[i] throughout where a cluster whose length changed begins (inside it no offset is exact).
  const normalAt: number[] = [0];
  const sourceAt: number[] = [0];
  const insideCluster: boolean[] = [false];
  let length = 0;
  const mark = (sourceOffset: number, beginsCluster: boolean) => {
    normalAt.push(length);
    sourceAt.push(sourceOffset);
    insideCluster.push(beginsCluster);
  };

  let lineStart = 0;
  while (lineStart < source.length) {
    const newline = source.indexOf("\n", lineStart);
    const lineEnd = newline < 0 ? source.length : newline + 1;
    const line = source.slice(lineStart, lineEnd);
    if (isNormal(line)) {
      pieces.push(line);
      length += line.length;
    } else {
      for (const match of line.matchAll(CLUSTER)) {
        const folded = foldCluster(match[0]);
        const sourceOffset = lineStart + match.index;
        const changesLength = folded.length !== match[0].length;
        if (changesLength && folded !== "") mark(sourceOffset, true);
        pieces.push(folded);
        length += folded.length;
        if (changesLength) mark(sourceOffset + match[0].length, false);
      }
    }
    lineStart = lineEnd;
  }

  const markBefore = (offset: number): number => {
    let low = 0;
    let high = normalAt.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (normalAt[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const toSource = (offset: number): number => {
    if (offset >= length) return source.length;
    const at = markBefore(offset);
    return insideCluster[at] ? sourceAt[at]! : sourceAt[at]! + offset - normalAt[at]!;
  };
  const toSourceEnd = (offset: number): number => {
    if (offset <= 0) return 0;
    const at = markBefore(Math.min(offset, length) - 1);
    if (!insideCluster[at]) return sourceAt[at]! + Math.min(offset, length) - normalAt[at]!;
    return offset < normalAt[at + 1]! ? sourceAt[at]! : sourceAt[at + 1]!;
  };
  return { text: pieces.join(""), toSource, toSourceEnd };
}

function isNormal(line: string): boolean {
  return (
    !UNUSUAL.test(line) &&
    !TOO_MANY_MARKS.test(line) &&
    !INVISIBLE.test(line) &&
    line.isWellFormed() &&
    line.normalize("NFKC") === line
  );
}

function foldCluster(cluster: string): string {
  if (cluster === "\r\n") return "\n";
  const first = cluster[0]!;
  if (cluster.length === 1) {
    if (first === "\n" || first === "\t") return first;
    if (first === "\r" || first === "\v" || first === "\f" || first === "\x85") return "\n";
    if (first === "\u2028" || first === "\u2029") return "\n";
    if (CONTROL.test(first)) return " ";
    if (INVISIBLE.test(first)) return "";
  }
  const whole = cluster.toWellFormed();
  let folded = whole.normalize("NFKC");
  // A spacing accent becomes a space and a mark, and a few ligatures become several words: a cut at that space would
  // have no place in the sent text.
  if (/\s/u.test(folded) && !/\s/u.test(whole)) folded = whole.normalize("NFC");
  return INVISIBLE.test(folded) || UNUSUAL.test(folded) ? foldCharacters(folded) : folded;
}

function foldCharacters(text: string): string {
  let folded = "";
  for (const character of text) {
    if (INVISIBLE.test(character)) continue;
    folded += UNUSUAL.test(character) ? " " : character;
  }
  return folded;
}
