import { readFile } from "node:fs/promises";
import type { Embedder } from "./embedders.ts";
import { normaliseRows } from "./rows.ts";

/**
 * Makes token vectors shorter with little lost: the first principal components of an embedder's token vectors on some
 * texts, found by eval/fit-projection.ts. The file holds the matrix (C, D) row by row in little-endian float32.
 */
export class Projection {
  readonly #from: number;
  readonly #to: number;
  /** (C, D); undefined: vectors stay as they are. */
  readonly #matrix: Float32Array | undefined;

  private constructor(from: number, to: number, matrix: Float32Array | undefined) {
    this.#from = from;
    this.#to = to;
    this.#matrix = matrix;
  }

  static async read({ projection, dimensions, storedDimensions }: Embedder): Promise<Projection> {
    if (!projection) return new Projection(dimensions, dimensions, undefined);
    const bytes = await readFile(projection);
    const matrix = Float32Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
    if (matrix.length !== dimensions * storedDimensions)
      throw new Error(`${projection} is no matrix of ${dimensions} times ${storedDimensions}.`);
    return new Projection(dimensions, storedDimensions, matrix);
  }

  /** (T, C) to (T, D), each row of length 1. */
  apply(tokens: Float32Array): Float32Array {
    const matrix = this.#matrix;
    if (!matrix) return tokens.slice();
    const [from, to] = [this.#from, this.#to];
    const rows = tokens.length / from;
    const projected = new Float32Array(rows * to);
    for (let row = 0; row < rows; row++) {
      const target = projected.subarray(row * to, (row + 1) * to);
      for (let component = 0; component < from; component++) {
        const value = tokens[row * from + component]!;
        const start = component * to;
        for (let at = 0; at < to; at++) target[at]! += value * matrix[start + at]!;
      }
    }
    normaliseRows(projected, to);
    return projected;
  }
}
