/** UTF-16 units encoded at a time: what is done between two of them is others' turn, so that a text of 20 MB blocks nobody. */
const PIECE_UNITS = 64 * 1024;

/** A text in UTF-8, piece by piece, and how many code points have been handed out so far. */
export class Utf8Pieces implements Iterable<Uint8Array> {
  codePoints = 0;
  #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  *[Symbol.iterator](): Iterator<Uint8Array> {
    for (let start = 0; start < this.#text.length; ) {
      let end = Math.min(start + PIECE_UNITS, this.#text.length);
      // A surrogate pair is one code point in two units: it stays whole.
      if (isLowSurrogate(this.#text, end)) end -= 1;
      for (let unit = start; unit < end; unit++) if (!isLowSurrogate(this.#text, unit)) this.codePoints += 1;
      yield Buffer.from(this.#text.slice(start, end), "utf8");
      start = end;
    }
  }
}

/** The http room lets no unpaired surrogate pass. */
const isLowSurrogate = (text: string, unit: number) => (text.charCodeAt(unit) & 0xfc00) === 0xdc00;
