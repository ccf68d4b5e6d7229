import { getLlama, type Llama, type LlamaContextSequence, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";

export type AdaptedModelsOptions = {
  /** Adapters that are ready to write at a time, each with a context of its own. */
  mostContexts: number;
  /** llama.cpp keeps an adapter as long as its base: after so many the base is opened anew. */
  mostAdapters: number;
  threads: number;
};

/** Tokens of the prompt and the reply together (MOST_PASSAGE_TOKENS, prompt.ts, and what stands around them). */
const CONTEXT_TOKENS = 1_024;
/** Tokens of a prompt that are computed at a time: what that takes in memory is each context's own. */
const BATCH_TOKENS = 128;

type Opened = { path: string; model: LlamaModel; adapters: Set<string>; sequences: Map<string, LlamaContextSequence> };

/**
 * One base model in memory, and the adapters of the chatbots that were asked last, each on a context of its own. Whoever
 * was not asked for the longest time makes room. One reply at a time: nothing is closed while it writes.
 */
export class AdaptedModels {
  readonly #options: AdaptedModelsOptions;
  #llama: Promise<Llama> | undefined;
  #opened: Opened | undefined;

  constructor(options: AdaptedModelsOptions) {
    this.#options = options;
  }

  /**
   * Where the base at one path writes with the adapter at another; or as it is, where that is "". What it was last asked
   * stays computed: a prompt that begins alike begins there.
   */
  async sequenceOf(basePath: string, adapterPath: string): Promise<LlamaContextSequence> {
    const opened = await this.#open(basePath, adapterPath);
    const { sequences, model, adapters } = opened;
    const known = sequences.get(adapterPath);
    if (known) {
      sequences.delete(adapterPath);
      sequences.set(adapterPath, known);
      return known;
    }
    const { mostContexts, threads } = this.#options;
    for (const [path, { context }] of sequences) {
      if (sequences.size < mostContexts) break;
      sequences.delete(path);
      await context.dispose();
    }
    const context = await model.createContext({
      contextSize: Math.min(CONTEXT_TOKENS, model.trainContextSize),
      batchSize: BATCH_TOKENS,
      sequences: 1,
      threads,
      ...(adapterPath !== "" && { lora: { adapters: [{ filePath: adapterPath }] } }),
    });
    if (adapterPath !== "") adapters.add(adapterPath);
    const sequence = context.getSequence();
    sequences.set(adapterPath, sequence);
    return sequence;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.model.dispose();
  }

  async #open(basePath: string, adapterPath: string): Promise<Opened> {
    const { mostAdapters, threads } = this.#options;
    const { path, adapters } = this.#opened ?? {};
    const isFull = adapters && adapters.size >= mostAdapters && !adapters.has(adapterPath);
    if (path !== basePath || isFull) await this.close();
    if (this.#opened) return this.#opened;
    // What is built for this machine comes with the library: nothing is compiled, and nothing downloaded.
    this.#llama ??= getLlama({ build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: threads });
    const model = await (await this.#llama).loadModel({ modelPath: basePath });
    this.#opened = { path: basePath, model, adapters: new Set(), sequences: new Map() };
    return this.#opened;
  }
}
