import { stat } from "node:fs/promises";
import { getLlama, type Llama, type LlamaContextSequence, LlamaLogLevel, type LlamaModel } from "node-llama-cpp";

export type AdaptedModelsOptions = {
  /** What the contexts of the adapters that are ready to write may take together, as llama.cpp estimates it; one may always be. */
  contextBytes: number;
  /** llama.cpp keeps an adapter as long as its base: where more of them would be in memory, the base is opened anew. */
  adapterBytes: number;
  threads: number;
};

/** Tokens of the prompt and the reply together (MOST_PASSAGE_TOKENS, prompt.ts, and what stands around them). */
const CONTEXT_TOKENS = 1_024;
/** Tokens of a prompt that are computed at a time: what that takes in memory is each context's own. */
const BATCH_TOKENS = 128;

type Opened = {
  path: string;
  model: LlamaModel;
  /** How many contexts there may be of this base. */
  mostContexts: number;
  /** The adapters that were loaded, by path, with what each takes. */
  adapters: Map<string, number>;
  /** The one that was asked last comes last. */
  sequences: Map<string, LlamaContextSequence>;
};

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
    const { sequences, model, adapters, mostContexts } = opened;
    const known = sequences.get(adapterPath);
    if (known) {
      sequences.delete(adapterPath);
      sequences.set(adapterPath, known);
      return known;
    }
    for (const [path, { context }] of sequences) {
      if (sequences.size < mostContexts) break;
      sequences.delete(path);
      await context.dispose();
    }
    const context = await model.createContext({
      ...contextOf(model),
      threads: this.#options.threads,
      ...(adapterPath !== "" && { lora: { adapters: [{ filePath: adapterPath }] } }),
    });
    if (adapterPath !== "") adapters.set(adapterPath, await bytesOf(adapterPath));
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
    const { contextBytes, adapterBytes, threads } = this.#options;
    const { path, adapters } = this.#opened ?? {};
    if (path !== basePath || (adapters && (await isFull(adapters, adapterPath, adapterBytes)))) await this.close();
    if (this.#opened) return this.#opened;
    // What is built for this machine comes with the library: nothing is compiled, and nothing downloaded.
    this.#llama ??= getLlama({ build: "never", gpu: false, logLevel: LlamaLogLevel.error, maxThreads: threads });
    const model = await (await this.#llama).loadModel({ modelPath: basePath });
    const { cpuRam } = model.fileInsights.estimateContextResourceRequirements({
      ...contextOf(model),
      modelGpuLayers: 0,
    });
    const mostContexts = Math.max(1, Math.floor(contextBytes / cpuRam));
    this.#opened = { path: basePath, model, mostContexts, adapters: new Map(), sequences: new Map() };
    return this.#opened;
  }
}

function contextOf({ trainContextSize }: LlamaModel) {
  return { contextSize: Math.min(CONTEXT_TOKENS, trainContextSize), batchSize: BATCH_TOKENS, sequences: 1 };
}

/** Whether there is no room for one more adapter beside those that were loaded. */
async function isFull(adapters: ReadonlyMap<string, number>, path: string, mostBytes: number): Promise<boolean> {
  if (path === "" || adapters.size === 0 || adapters.has(path)) return false;
  const taken = [...adapters.values()].reduce((sum, bytes) => sum + bytes, 0);
  return taken + (await bytesOf(path)) > mostBytes;
}

/** An adapter is in memory as it is in its file. */
async function bytesOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
