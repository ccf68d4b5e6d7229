import { existsSync } from "node:fs";
import { type EmbedderName, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { type FetchOptions, fetchWeights, findWeights, type WeightsFiles } from "@caigun/weights";

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

  async #fetch(embedder: EmbedderName): Promise<EncoderFiles | undefined> {
    const { weightsFolder, fetch, onUnavailable } = this.#options;
    try {
      const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }) => {
        for (const follow of this.#followers) follow(bytes / totalBytes);
      };
      const options = { ...fetch, onProgress, signal: this.#closing.signal };
      this.#files = asEncoderFiles(embedder, await fetchWeights(weightsFolder, embedder, options));
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
