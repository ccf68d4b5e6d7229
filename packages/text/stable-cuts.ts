/** What is cut apart: sentences, paragraphs, or lines. */
export interface Item {
  text: string;
  columns: number;
}

export interface Pieces {
  /** The least width of a piece, in columns; most are twice as wide. */
  least: number;
  /** The greatest: a piece is cut there where nothing else cuts it. */
  most: number;
}

/** Of an item's beginning, so many letters decide first: an edit further on moves no cut. */
const DECIDING_LETTERS = 12;

/**
 * The indexes of the items that begin a new piece. An item does whose fingerprint is the least of all within `least`
 * columns of it, so that a cut depends on its surroundings alone, and an edit moves none further away: the local maximum
 * approach of Bjørner, Blass and Gurevich, Content-dependent chunking for differential compression (2010).
 */
export function stableCuts(items: readonly Item[], { least, most }: Pieces): Set<number> {
  const starts: number[] = [];
  let width = 0;
  for (const { columns } of items) {
    starts.push(width);
    width += columns;
  }
  const prints = items.map(({ text }) => ({ first: fingerprint(beginning(text)), whole: fingerprint(text) }));
  const isLeast = (at: number): boolean => {
    const isAfter = (other: number) => {
      const [one, two] = [prints[at]!, prints[other]!];
      return one.first === two.first ? one.whole >= two.whole : one.first > two.first;
    };
    const start = starts[at]!;
    for (let other = at - 1; other >= 0 && start - starts[other]! <= least; other--) if (isAfter(other)) return false;
    for (let other = at + 1; other < items.length && starts[other]! - start <= least; other++)
      if (isAfter(other)) return false;
    return start > least && width - start > least;
  };
  const cuts = new Set<number>();
  let pieceStart = 0;
  for (let at = 1; at < items.length; at++) {
    if (isLeast(at) || starts[at]! + items[at]!.columns - pieceStart > most) {
      cuts.add(at);
      pieceStart = starts[at]!;
    }
  }
  return cuts;
}

function beginning(text: string): string {
  const letters = text.slice(0, 8 * DECIDING_LETTERS).replace(/[^\p{L}\p{N}]/gu, "");
  return letters.slice(0, DECIDING_LETTERS);
}

/** FNV-1a, 32 bits. http://www.isthe.com/chongo/tech/comp/fnv/ */
function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
