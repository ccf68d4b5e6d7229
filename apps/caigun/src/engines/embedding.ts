import { existsSync } from "node:fs";
import { type EmbedderName, embedderNamed, vectorsDigest } from "@caigun/embedding";
import {
  type FetchOptions,
  type FetchProgress,
  fetchWeights,
  findWeights,
  manifest,
  type WeightsFiles,
} from "@caigun/weights";

export type EmbeddingOptions = {
  /** Undefined: passages are searched by their words alone. */
  embedder: EmbedderName | undefined;
  weightsFolder: string;
  fetch: Pick<FetchOptions, "hubUrl" | "python">;
  onUnavailable: (error: Error) => void;
};

export type WaitOptions = {
  onProgress?: (fraction: number) => void;
  signal?: AbortSignal;
  waitMs?: number;
};

/** What a child needs to run the embedding model. */
export type EncoderFiles = {
  embedder: EmbedderName;
  /** Names what makes the vectors (vectorsDigest): those that anything else made can't be compared with them. */
  digest: string;
  model: string;
  tokenizer?: string | undefined;
};

/** How long nobody asks for weights again that could not be fetched, ms: a machine without a network should not wait at each training. */
const TRY_AGAIN_MS = 10 * 60_000;

/** The installation's embedding model: its files are fetched when they are first needed. */
export class Embedding {
  readonly #options: EmbeddingOptions;
  #files: EncoderFiles | undefined;
  #fetching: Promise<EncoderFiles | undefined> | undefined;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #followers = new Set<(fraction: number) => void>();
  #closing = new AbortController();

  constructor(options: EmbeddingOptions) {
    this.#options = options;
  }

  /** Whether texts in one of these languages (BCP-47 primary subtags) could be embedded. */
  knowsOneOf(languages: readonly string[]): boolean {
    const { embedder } = this.#options;
    return embedder !== undefined && languages.some((language) => embedderNamed(embedder).languages.has(language));
  }

  /** The files on the disk; undefined where they are not there (yet). */
  present(): EncoderFiles | undefined {
    const { embedder, weightsFolder } = this.#options;
    if (embedder === undefined) return undefined;
    // A person may have removed them meanwhile.
    if (this.#files && ![this.#files.model, this.#files.tokenizer ?? this.#files.model].every(existsSync))
      this.#files = undefined;
    this.#files ??= asEncoderFiles(embedder, findWeights(weightsFolder, embedder));
    return this.#files;
  }

  /**
   * All that encodes questions here, for indexes that were made elsewhere, or by an earlier version: each file on the disk,
   * by the graph that computes with it best and by the one in the file.
   */
  everyPresent(): EncoderFiles[] {
    const { embedder, weightsFolder } = this.#options;
    if (embedder === undefined) return [];
    return modelDigestsOf(embedder).flatMap((sha256) => {
      const files = asEncoderFiles(embedder, findWeights(weightsFolder, embedder, sha256));
      if (!files) return [];
      return files.digest === sha256 ? [files] : [files, { ...files, digest: sha256 }];
    });
  }

  /** Fetches the file that makes vectors of this digest, where there is one: questions that come later find it. */
  bring(digest: string): void {
    const { embedder } = this.#options;
    if (embedder === undefined || performance.now() - this.#failedAtMs < TRY_AGAIN_MS) return;
    const sha256 = modelDigestsOf(embedder).find((model) =>
      [model, vectorsDigest(embedderNamed(embedder), model)].includes(digest),
    );
    if (sha256 !== undefined) this.#fetching ??= this.#fetch(embedder, sha256);
  }

  /**
   * The files, fetched where they are not there. Undefined where they can't be had now, or not within `waitMs`. Throws
   * the signal's reason. Whoever stops waiting stops nobody else: the download goes on.
   */
  async obtain({ onProgress, signal, waitMs }: WaitOptions = {}): Promise<EncoderFiles | undefined> {
    signal?.throwIfAborted();
    const present = this.present();
    if (present || this.#options.embedder === undefined) return present;
    if (performance.now() - this.#failedAtMs < TRY_AGAIN_MS) return undefined;
    const ended = Promise.withResolvers<undefined>();
    const stop = () => ended.reject(signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    const timer = waitMs === undefined ? undefined : setTimeout(() => ended.resolve(undefined), waitMs);
    // One of its own for each who waits, also where two give the same function.
    const follow = (fraction: number) => onProgress?.(fraction);
    this.#followers.add(follow);
    try {
      // One download, however many wait for it.
      this.#fetching ??= this.#fetch(this.#options.embedder);
      return await Promise.race([this.#fetching, ended.promise]);
    } finally {
      this.#followers.delete(follow);
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Ends a download that runs: a process that is told to stop does not wait for it. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#fetching;
  }

  /** `variant`: of the model's files, the one with this digest. */
  async #fetch(embedder: EmbedderName, variant?: string): Promise<EncoderFiles | undefined> {
    const { weightsFolder, fetch, onUnavailable } = this.#options;
    try {
      const onProgress = ({ fraction }: FetchProgress) => {
        for (const follow of this.#followers) follow(fraction);
      };
      const options = { ...fetch, variant, onProgress, signal: this.#closing.signal };
      const files = asEncoderFiles(embedder, await fetchWeights(weightsFolder, embedder, options));
      // What texts are trained with stays the same as long as it is there.
      this.#files ??= files;
      return this.#files;
    } catch (error) {
      this.#failedAtMs = performance.now();
      if (!this.#closing.signal.aborted) onUnavailable(error as Error);
      return undefined;
    } finally {
      this.#fetching = undefined;
    }
  }
}

/** SHA-256 of each file that the model can be had as. */
function modelDigestsOf(embedder: EmbedderName): string[] {
  return manifest[embedder].files["model.onnx"].map(({ sha256 }) => sha256);
}

function asEncoderFiles(embedder: EmbedderName, files: WeightsFiles | undefined): EncoderFiles | undefined {
  const model = files?.["model.onnx"];
  if (!model) return undefined;
  return {
    embedder,
    digest: vectorsDigest(embedderNamed(embedder), model.sha256),
    model: model.path,
    tokenizer: files["tokenizer.json"]?.path,
  };
}
