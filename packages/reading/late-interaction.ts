import type { EvidencePassage, EvidenceQuestionVectors } from "./evidence.ts";

/** How alike a question of T tokens and the pieces of a passage are; the first piece is its lead, then its sentences. */
export interface Likeness {
  /** For each piece (T): each question token's highest cosine with a token of the piece; 0 where it has none. */
  best: Float32Array[];
  /** For each piece: the cosine of the mean over its tokens with the mean over the question's. */
  cosines: number[];
}

/** Late interaction (Khattab and Zaharia 2020, arXiv 2004.12832): every token of the question meets every one of the passage. */
export function likenessOf(
  question: EvidenceQuestionVectors,
  { tokens, tokensOfPiece }: NonNullable<EvidencePassage["vectors"]>,
): Likeness {
  const { projected } = question;
  const count = question.tokens.length / question.mean.length;
  const width = count > 0 ? projected.length / count : 0;
  const questionMean = meanDirection(projected, width, 0, count, 1);
  const likeness: Likeness = { best: [], cosines: [] };
  let from = 0;
  for (const length of tokensOfPiece) {
    const best = new Float32Array(count).fill(length > 0 ? -1 : 0);
    for (let token = from; token < from + length; token++) {
      const start = token * width;
      for (let asked = 0; asked < count; asked++) {
        const askedStart = asked * width;
        let sum = 0;
        for (let at = 0; at < width; at++) sum += projected[askedStart + at]! * tokens[start + at]!;
        const cosine = sum / 127;
        if (cosine > best[asked]!) best[asked] = cosine;
      }
    }
    const mean = meanDirection(tokens, width, from, from + length, 127);
    let cosine = 0;
    for (let at = 0; at < width; at++) cosine += questionMean[at]! * mean[at]!;
    likeness.best.push(best);
    likeness.cosines.push(cosine);
    from += length;
  }
  return likeness;
}

/** The mean of some rows of a matrix with `width` columns, brought to length 1; 0 where there are none. */
function meanDirection(
  matrix: Float32Array | Int8Array,
  width: number,
  from: number,
  to: number,
  unit: number,
): Float64Array {
  const mean = new Float64Array(width);
  for (let row = from; row < to; row++)
    for (let at = 0; at < width; at++) mean[at]! += matrix[row * width + at]! / unit;
  const length = Math.hypot(...mean) || 1;
  return mean.map((value) => value / length);
}

/** For each of T places the highest of several arrays. */
export function highest(arrays: readonly Float32Array[]): Float32Array {
  const result = Float32Array.from(arrays[0] ?? []);
  for (const array of arrays.slice(1))
    for (let at = 0; at < result.length; at++) result[at] = Math.max(result[at]!, array[at]!);
  return result;
}
