import type { Variant } from "./manifest.ts";

export interface FetchProgress {
  file: string;
  bytes: number;
  totalBytes: number;
  /** Of all files of the model, the share that is there, from 0 to 1. It never falls, also where a second source begins anew. */
  fraction: number;
}

/** Tells how far the files of a model are, one after the other: each counts for as much as its first variant has bytes. */
export class ProgressOfAll {
  #onProgress: (progress: FetchProgress) => void;
  #sizes: ReadonlyMap<string, number>;
  #there = new Set<string>();
  #fraction = 0;

  constructor(
    files: readonly (readonly [file: string, variants: readonly Pick<Variant, "bytes">[]])[],
    onProgress: (progress: FetchProgress) => void = () => {},
  ) {
    this.#sizes = new Map(files.map(([file, variants]) => [file, variants[0]?.bytes ?? 0]));
    this.#onProgress = onProgress;
  }

  /** So many bytes of a file have come. */
  tell(file: string, bytes: number, totalBytes: number): void {
    const begun = (this.#sizes.get(file) ?? 0) * (bytes / totalBytes);
    const there = sum([...this.#there].map((name) => this.#sizes.get(name) ?? 0));
    this.#fraction = Math.max(this.#fraction, Math.min((there + begun) / sum([...this.#sizes.values()]), 1));
    this.#onProgress({ file, bytes, totalBytes, fraction: this.#fraction });
  }

  /** A file is there whole. */
  end(file: string): void {
    this.#there.add(file);
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
