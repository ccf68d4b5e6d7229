import type { BuildProgress } from "@caigun/passages";
import { Child } from "../../children/child.ts";
import type { BuildReply, BuildRequest, CheckReply, DocumentFile, ProbeReply } from "./messages.ts";

export type BuilderOptions = { heapMiB: number; timeoutMs: number; signal: AbortSignal };

/** A child process that builds one model's index and probes it. Killed when the signal aborts. */
export class IndexBuilder {
  #child: Child;
  #options: BuilderOptions;

  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#child = new Child({
      module: new URL("./build-child.ts", import.meta.url),
      name: "training",
      heapMiB: options.heapMiB,
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

  /** Asks the index questions made from its own text, and questions about other things. */
  check(index: string, seed: string): Promise<CheckReply> {
    return this.#request({ do: "check", index, seed });
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
