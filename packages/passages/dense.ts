import type { DatabaseSync } from "node:sqlite";
import { decodeMean } from "./vectors.ts";

/** The mean vectors of all passages in memory: what a question is compared with before any passage is read. */
export class MeanVectors {
  /** (N, C) in scale/127. */
  readonly #means: Int8Array;
  readonly #scales: Float32Array;
  readonly #rows: Uint32Array;
  readonly #dimensions: number;

  constructor(db: DatabaseSync) {
    const count = Number(db.prepare("SELECT count(*) AS count FROM vectors").get()!.count);
    const first = db.prepare("SELECT mean FROM vectors ORDER BY ordinal LIMIT 1").get();
    this.#dimensions = first ? decodeMean(first.mean as Uint8Array).mean.length : 0;
    this.#means = new Int8Array(count * this.#dimensions);
    this.#scales = new Float32Array(count);
    this.#rows = new Uint32Array(count);
    let at = 0;
    for (const { ordinal, mean: bytes } of db.prepare("SELECT ordinal, mean FROM vectors ORDER BY ordinal").iterate()) {
      const { mean, meanScale } = decodeMean(bytes as Uint8Array);
      this.#means.set(mean, at * this.#dimensions);
      this.#scales[at] = meanScale / 127;
      this.#rows[at++] = Number(ordinal);
    }
  }

  /** Rows of the `count` passages with the highest cosine, highest first, among those that `admits` lets pass. */
  nearest(question: Float32Array, count: number, admits: (row: number) => boolean): { row: number; cosine: number }[] {
    const best: { row: number; cosine: number }[] = [];
    for (let at = 0; at < this.#rows.length; at++) {
      const cosine = this.#cosine(question, at);
      if (best.length === count && cosine <= best[count - 1]!.cosine) continue;
      const row = this.#rows[at]!;
      if (!admits(row)) continue;
      const place = best.findIndex((other) => other.cosine < cosine);
      best.splice(place < 0 ? best.length : place, 0, { row, cosine });
      best.length = Math.min(best.length, count);
    }
    return best;
  }

  /** Of one passage with the question; undefined where it has no vectors. */
  cosineOf(row: number, question: Float32Array): number | undefined {
    let [low, high] = [0, this.#rows.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle] === row) return this.#cosine(question, middle);
      if (this.#rows[middle]! < row) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }

  #cosine(question: Float32Array, at: number): number {
    const start = at * this.#dimensions;
    let sum = 0;
    for (let component = 0; component < this.#dimensions; component++)
      sum += question[component]! * this.#means[start + component]!;
    return sum * this.#scales[at]!;
  }
}
