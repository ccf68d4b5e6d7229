import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { elements } from "../graph/graph.ts";
import { encodeModel, type OnnxModel } from "./model.ts";

export type Feeds = Readonly<Record<string, Float32Array | Float64Array | BigInt64Array>>;
export type Results = Record<string, Float32Array | Float64Array>;

export interface SessionOptions {
  threads: number;
  /** Writes a trace of every operator's time beside the model (ONNX Runtime's profiling). */
  profile?: boolean;
}

/**
 * A model that runs in ONNX Runtime. run() blocks the process for its whole length, and ending a thread within it ends
 * the process: it belongs into a process of its own.
 */
export class Session {
  readonly #session: InferenceSession;
  readonly #model: OnnxModel;
  readonly #tensorOf: (type: string, data: never, shape: readonly number[]) => Tensor;

  private constructor(session: InferenceSession, model: OnnxModel, tensorOf: typeof Tensor) {
    this.#session = session;
    this.#model = model;
    this.#tensorOf = (type, data, shape) => new tensorOf(type as "float32", data, shape);
  }

  /** Writes the model into `folder`, beside the file of its frozen tensors, and opens it. */
  static async open(
    folder: string,
    name: string,
    model: OnnxModel,
    { threads, profile }: SessionOptions,
  ): Promise<Session> {
    const { InferenceSession, Tensor } = await import("onnxruntime-node");
    const path = join(folder, `${name}.onnx`);
    await writeFile(path, encodeModel(model));
    const session = await InferenceSession.create(path, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      // The graph is lowered as it shall run: ONNX Runtime's passes would merge what is recomputed to save memory.
      graphOptimizationLevel: "disabled",
      // An arena doubles what it has taken whenever that does not suffice, and gives nothing back: half a gigabyte more.
      enableCpuMemArena: false,
      enableMemPattern: false,
      // Prepacked weights would be copies in memory that mapped files are not.
      extra: { session: { disable_prepacking: "1", intra_op: { allow_spinning: "0" } } },
      ...(profile ? { enableProfiling: true, profileFilePrefix: join(folder, name) } : {}),
    } as InferenceSession.SessionOptions);
    return new Session(session, model, Tensor);
  }

  async run(feeds: Feeds): Promise<Results> {
    const tensors: Record<string, Tensor> = {};
    for (const { name, element, shape } of this.#model.inputs) {
      const data = feeds[name];
      if (!data) throw new Error(`The input "${name}" is missing.`);
      if (data.length !== elements(shape))
        throw new Error(`"${name}" has ${data.length} numbers, not ${elements(shape)}.`);
      tensors[name] = this.#tensorOf(element, data as never, shape);
    }
    const results: Results = {};
    for (const [name, tensor] of Object.entries(await this.#session.run(tensors)))
      results[name] = tensor.data as Float32Array;
    return results;
  }

  async close(): Promise<void> {
    this.#session.endProfiling();
    await this.#session.release();
  }
}
