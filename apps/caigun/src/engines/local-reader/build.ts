import type { BuildProgress } from "@caigun/passages";
import { Child } from "../../children/child.ts";
import type { EncoderFiles } from "../embedding.ts";
import type {
  BuildReply,
  BuildRequest,
  CheckReply,
  DocumentFile,
  EmbedReply,
  EmbedRequest,
  EncodingsKept,
  ProbeReply,
  PruneReply,
} from "./messages.ts";

export type BuilderOptions = { heapMiB: number; timeoutMs: number; signal: AbortSignal };

/** A child process that builds one model's index and probes it, or prunes what is kept for the next. Killed when the signal aborts. */
export class IndexBuilder {
  #child: Child;
  #options: BuilderOptions;

  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#child = new Child({
      module: new URL("./build-child.ts", import.meta.url),
      name: "training",
      heapMiB: options.heapMiB,
      inBackground: true,
    });
  }

  /** Writes the index file `target`. */
  build(documents: DocumentFile[], target: string, onProgress: (progress: BuildProgress) => void): Promise<BuildReply> {
    return this.#request({ do: "build", documents, target }, onProgress as (progress: unknown) => void);
  }

  /** Compares the index with the texts it was made from, and searches it for their sentences. */
  probe(index: string, documents: DocumentFile[]): Promise<ProbeReply> {
    return this.#request({ do: "probe", index, documents });
  }

  /** Adds vectors to an index that `build` has written. 0 passages: the reply says why. */
  embed(request: Omit<EmbedRequest, "do">, onProgress: (fraction: number) => void): Promise<EmbedReply> {
    return this.#request({ do: "embed", ...request }, onProgress as (progress: unknown) => void);
  }

  /** Asks the index questions made from its own text, and questions about other things. */
  check(index: string, seed: string, encoder: EncoderFiles | undefined): Promise<CheckReply> {
    return this.#request({ do: "check", index, seed, encoder });
  }

  /** Removes what is kept for too long, or is too much. */
  prune(cache: EncodingsKept): Promise<PruneReply> {
    return this.#request({ do: "prune", cache });
  }

  async close(): Promise<void> {
    this.#child.kill();
    await this.#child.ended;
  }

  #request<Reply>(request: BuildRequest, onProgress?: (progress: unknown) => void): Promise<Reply> {
    const { timeoutMs, signal } = this.#options;
    return this.#child.request<Reply>(request, { timeoutMs, signal, ...(onProgress ? { onProgress } : {}) });
  }
}
