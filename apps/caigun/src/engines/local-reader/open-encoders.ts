import { Encoder, embedderNamed } from "@caigun/embedding";
import type { EncoderFiles } from "../embedding.ts";

/** How long nobody tries again to open a model that could not be opened, ms: each try may read a large file. */
const TRY_AGAIN_MS = 60_000;

/** The encoders of a process, each opened when it is first needed. */
export class OpenEncoders {
  readonly #threads: number;
  readonly #encoders = new Map<string, Promise<Encoder | undefined>>();
  readonly #failedAtMs = new Map<string, number>();

  constructor(threads: number) {
    this.#threads = threads;
  }

  /** Undefined where it can't be opened now; what is wrong stands in the server's log. */
  async get(files: EncoderFiles): Promise<Encoder | undefined> {
    const { digest } = files;
    const failedAtMs = this.#failedAtMs.get(digest) ?? Number.NEGATIVE_INFINITY;
    if (Date.now() - failedAtMs < TRY_AGAIN_MS) return undefined;
    let opening = this.#encoders.get(digest);
    if (!opening) {
      opening = this.#open(files);
      this.#encoders.set(digest, opening);
    }
    return opening;
  }

  async #open(files: EncoderFiles): Promise<Encoder | undefined> {
    try {
      return await Encoder.open(embedderNamed(files.embedder), files, { threads: this.#threads });
    } catch (error) {
      this.#failedAtMs.set(files.digest, Date.now());
      this.#encoders.delete(files.digest);
      console.error(`The embedding model ${files.model} can't be opened: ${(error as Error).message}`);
      return undefined;
    }
  }
}
