import { readFile } from "node:fs/promises";
import type { Tokenizer } from "@huggingface/tokenizers";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { type Embedder, graphOf } from "./embedders.ts";
import { Projection } from "./projection.ts";
import { normaliseRows } from "./rows.ts";

/** A question as vectors of length 1; T tokens without the two marks. */
export interface EncodedQuestion {
  embedder: string;
  /** (T, C): what the model says of each token. */
  tokens: Float32Array;
  /** (T, D): the same after the projection, to be compared with a passage's tokens. */
  projected: Float32Array;
  /** (C): the mean over all tokens. */
  mean: Float32Array;
}

/** A passage as it is stored; T tokens without marks. */
export interface EncodedPassage {
  /** (T, D), in 1/127: vectors of length 1 after the projection. */
  tokens: Int8Array;
  /** How many of the tokens are of each piece of the text that was given, in order. */
  tokensOfPiece: number[];
  /** (C), in 1/127 of `meanScale`: the mean over all tokens, of length 1. */
  mean: Int8Array;
  meanScale: number;
}

export interface EncoderFiles {
  model: string;
  /** Names what makes the vectors, and so which graph does (vectorsDigest). */
  digest: string;
  /** Where the embedder brings none of its own. */
  tokenizer?: string | undefined;
}

/** What graphs call the file that holds their tensors. */
const MODEL_FILE = "model.onnx";

interface Encoding {
  /** (T, C), of length 1. */
  tokens: Float32Array;
  tokensOfPiece: number[];
  /** (C), of length 1. */
  mean: Float32Array;
}

/**
 * Runs an embedding model. Each text is a run of its own: where a model quantises its activations dynamically
 * (DynamicQuantizeLinear, ONNX), by the largest value of the whole batch, a text's vectors would in a batch depend on its
 * neighbours. Batches are no faster either: docs/embedding.md has the figures.
 * ONNX Runtime blocks the process while it computes: use it in a child process.
 */
export class Encoder {
  readonly embedder: Embedder;
  readonly #session: InferenceSession;
  readonly #integers: (values: BigInt64Array) => Tensor;
  readonly #tokenizer: Tokenizer;
  readonly #projection: Projection;
  readonly #marks: readonly [number, number];

  private constructor(
    embedder: Embedder,
    session: InferenceSession,
    integers: (values: BigInt64Array) => Tensor,
    tokenizer: Tokenizer,
    projection: Projection,
  ) {
    this.embedder = embedder;
    this.#session = session;
    this.#integers = integers;
    this.#tokenizer = tokenizer;
    this.#projection = projection;
    const [first, last] = tokenizer.encode("").ids;
    if (first === undefined || last === undefined) throw new Error("The tokenizer puts no marks around a text.");
    this.#marks = [first, last];
  }

  static async open(embedder: Embedder, files: EncoderFiles, { threads }: { threads: number }): Promise<Encoder> {
    const tokenizerFile = embedder.tokenizer ?? files.tokenizer;
    if (tokenizerFile === undefined) throw new Error(`${embedder.name} needs a tokenizer file.`);
    // Loaded here, so that a process that only names embedders does not carry their libraries.
    const [onnx, { Tokenizer }] = await Promise.all([import("onnxruntime-node"), import("@huggingface/tokenizers")]);
    const [definition, projection, session] = await Promise.all([
      readFile(tokenizerFile, "utf8"),
      Projection.read(embedder),
      createSession(onnx.InferenceSession, embedder, files, {
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // A thread that waits would keep its core busy: beside others who need it, encoding takes twice as long.
        extra: { session: { intra_op: { allow_spinning: "0" } } },
      }),
    ]);
    const integers = (values: BigInt64Array) => new onnx.Tensor("int64", values, [1, values.length]);
    return new Encoder(embedder, session, integers, new Tokenizer(JSON.parse(definition), {}), projection);
  }

  async encodeQuestion(question: string): Promise<EncodedQuestion> {
    const { tokens, mean } = await this.#encode([this.embedder.questionPrefix + question], 1);
    return { embedder: this.embedder.name, tokens, projected: this.#projection.apply(tokens), mean };
  }

  /** A passage in pieces, which are its sentences and what stands before them. */
  async encodePassage(pieces: readonly string[]): Promise<EncodedPassage> {
    const { passagePrefix } = this.embedder;
    const { tokens, tokensOfPiece, mean } = await this.#encode([passagePrefix, ...pieces], Number.POSITIVE_INFINITY);
    const ofPrefix = tokensOfPiece.shift()!;
    const projected = this.#projection.apply(tokens.subarray(ofPrefix * this.embedder.dimensions));
    const meanScale = mean.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
    return {
      tokens: Int8Array.from(projected, (value) => Math.round(127 * value)),
      tokensOfPiece,
      mean: Int8Array.from(mean, (value) => Math.round((127 * value) / meanScale)),
      meanScale,
    };
  }

  async close(): Promise<void> {
    await this.#session.release();
  }

  async #encode(pieces: readonly string[], maxRuns: number): Promise<Encoding> {
    const { dimensions, maxTokens } = this.embedder;
    const idsOfPiece = pieces.map((piece) => this.#tokenizer.encode(piece, { add_special_tokens: false }).ids);
    const ids = idsOfPiece.flat();
    const perRun = maxTokens - this.#marks.length;
    const runs = Math.max(1, Math.min(maxRuns, Math.ceil(ids.length / perRun)));
    const tokens = new Float32Array(Math.min(ids.length, runs * perRun) * dimensions);
    const mean = new Float32Array(dimensions);
    for (let run = 0; run < runs; run++) {
      const part = ids.slice(run * perRun, (run + 1) * perRun);
      const states = await this.#run([this.#marks[0], ...part, this.#marks[1]]);
      for (let at = 0; at < states.length; at++) mean[at % dimensions]! += states[at]!;
      tokens.set(states.subarray(dimensions, states.length - dimensions), run * perRun * dimensions);
    }
    normaliseRows(tokens, dimensions);
    normaliseRows(mean, dimensions);
    return { tokens, tokensOfPiece: idsOfPiece.map((piece) => piece.length), mean };
  }

  /** The last hidden states (T, C) of one sequence. */
  async #run(ids: readonly number[]): Promise<Float32Array> {
    const feeds: Record<string, Tensor> = {
      input_ids: this.#integers(BigInt64Array.from(ids, BigInt)),
      attention_mask: this.#integers(new BigInt64Array(ids.length).fill(1n)),
      token_type_ids: this.#integers(new BigInt64Array(ids.length)),
    };
    for (const name of Object.keys(feeds)) if (!this.#session.inputNames.includes(name)) delete feeds[name];
    const output = await this.#session.run(feeds, ["last_hidden_state"]);
    return output.last_hidden_state!.data as Float32Array;
  }
}

/** A session reads the model's file by itself, or gets its bytes beside another graph. */
async function createSession(
  sessions: typeof InferenceSession,
  embedder: Embedder,
  { model, digest }: EncoderFiles,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const graph = graphOf(embedder, digest);
  if (!graph) return sessions.create(model, options);
  const [bytes, data] = await Promise.all([readFile(graph.file), readFile(model)]);
  return sessions.create(bytes, { ...options, externalData: [{ path: MODEL_FILE, data }] });
}
