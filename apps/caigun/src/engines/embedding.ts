import { type EmbedderName, embedderNamed } from "@caigun/embedding";
import { type FetchOptions, fetchWeights, findWeights, type WeightsFiles } from "@caigun/weights";

export type EmbeddingOptions = {
  /** Undefined: passages are searched by their words alone. */
  embedder: EmbedderName | undefined;
  weightsFolder: string;
  fetch: Pick<FetchOptions, "hubUrl" | "python">;
  onUnavailable: (error: Error) => void;
};

/** What a child needs to run the embedding model. */
export type EncoderFiles = {
  embedder: EmbedderName;
  /** SHA-256 of the model file: vectors of other bytes can't be compared with its own. */
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
    this.#files ??= asEncoderFiles(embedder, findWeights(weightsFolder, embedder));
    return this.#files;
  }

  /** The files, fetched where they are not there. Undefined where they can't be had now. */
  async obtain(onProgress: (fraction: number) => void = () => {}): Promise<EncoderFiles | undefined> {
    const present = this.present();
    if (present || this.#options.embedder === undefined) return present;
    if (performance.now() - this.#failedAtMs < TRY_AGAIN_MS) return undefined;
    this.#followers.add(onProgress);
    try {
      // One download, however many wait for it.
      this.#fetching ??= this.#fetch(this.#options.embedder);
      return await this.#fetching;
    } finally {
      this.#followers.delete(onProgress);
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
  return { embedder, digest: model.sha256, model: model.path, tokenizer: files["tokenizer.json"]?.path };
}
