/** A sequence of tokens to learn from. */
export interface Sample {
  tokens: readonly number[];
  /** The first token that the model is asked for; those before are given. At least 1, since nothing stands before the first. */
  supervisedFrom: number;
}

/** T tokens with whole samples, or parts of long ones, one after the other. */
export interface PackedRow {
  pieces: Sample[];
  /** How many tokens it holds; the rest is filled up. */
  length: number;
  /** How many tokens the model is asked for. */
  supervised: number;
}

/**
 * Samples laid into rows of at most `length` tokens, each into the fullest row that still has room (best fit decreasing).
 * A sample that is longer is cut; each part after the first repeats one token, so that none goes unasked. The result is
 * the same for the same samples.
 */
export function pack(samples: readonly Sample[], length: number): PackedRow[] {
  const pieces = samples
    .flatMap((sample) => cut(sample, length))
    .filter(({ tokens, supervisedFrom }) => supervisedFrom < tokens.length);
  const longestFirst = pieces
    .map((piece, at) => ({ piece, at }))
    .sort((a, b) => b.piece.tokens.length - a.piece.tokens.length || a.at - b.at);
  // Rows by how many tokens still fit into them.
  const open: PackedRow[][] = Array.from({ length: length + 1 }, () => []);
  const rows: PackedRow[] = [];
  for (const { piece } of longestFirst) {
    const size = piece.tokens.length;
    const room = open.findIndex((some, left) => left >= size && some.length > 0);
    const row = room < 0 ? { pieces: [], length: 0, supervised: 0 } : (open[room]?.pop() as PackedRow);
    if (room < 0) rows.push(row);
    row.pieces.push(piece);
    row.length += size;
    row.supervised += size - piece.supervisedFrom;
    open[length - row.length]?.push(row);
  }
  return rows;
}

function cut({ tokens, supervisedFrom }: Sample, length: number): Sample[] {
  if (supervisedFrom < 1) throw new Error("Nothing stands before a sample's first token: it cannot be asked for.");
  const pieces: Sample[] = [];
  for (let start = 0; start + 1 < tokens.length; start += length - 1)
    pieces.push({ tokens: tokens.slice(start, start + length), supervisedFrom: Math.max(1, supervisedFrom - start) });
  return pieces;
}

/** The graph's inputs for some rows; N places, of which those that are not needed have weight 0. */
export interface BatchFeeds {
  tokens: BigInt64Array;
  positions: BigInt64Array;
  segments: BigInt64Array;
  rows: BigInt64Array;
  targets: BigInt64Array;
  weights: Float32Array;
}

/** `weight` is what each asked token counts for: 1 by their number in the whole batch gives a mean. */
export function feedsOf(
  packed: readonly PackedRow[],
  { batch, length, supervised }: { batch: number; length: number; supervised: number },
  weight: number,
): BatchFeeds {
  const integers = (size: number) => new BigInt64Array(size);
  const feeds: BatchFeeds = {
    tokens: integers(batch * length),
    positions: integers(batch * length),
    // What is filled up is a segment of its own, 0.
    segments: integers(batch * length),
    rows: integers(supervised),
    targets: integers(supervised),
    weights: new Float32Array(supervised),
  };
  let asked = 0;
  packed.forEach(({ pieces }, row) => {
    let place = row * length;
    pieces.forEach(({ tokens, supervisedFrom }, segment) => {
      tokens.forEach((token, position) => {
        feeds.tokens[place] = BigInt(token);
        feeds.positions[place] = BigInt(position);
        feeds.segments[place] = BigInt(segment + 1);
        if (position >= supervisedFrom) {
          feeds.rows[asked] = BigInt(place - 1);
          feeds.targets[asked] = BigInt(token);
          feeds.weights[asked] = weight;
          asked++;
        }
        place++;
      });
    });
  });
  return feeds;
}

/** The most tokens that any `batch` of the rows ask for together. */
export function mostSupervised(rows: readonly PackedRow[], batch: number): number {
  const counts = rows.map((row) => row.supervised).sort((a, b) => b - a);
  return counts.slice(0, batch).reduce((sum, count) => sum + count, 0);
}
