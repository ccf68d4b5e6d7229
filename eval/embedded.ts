import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type EncodedPassage, type EncodedQuestion, Encoder, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { addVectors, type Found, openIndex, type SourceDocument } from "@caigun/passages";
import { fetchWeights, type WeightsName } from "@caigun/weights";
import { writeIndex } from "../apps/caigun/src/engines/local-reader/write-index.ts";

const EMBEDDER = embedderNamed("all-minilm-l6-v2-int8");
const THREADS = 2;
const WEIGHTS = new URL("../.caigun/weights", import.meta.url);

/** Searches texts in this process by words and vectors. What has been encoded once is remembered. */
export class EmbeddedSearch {
  readonly digest: string;
  readonly #encoder: Encoder;
  readonly #passages = new Map<string, EncodedPassage>();
  readonly #questions = new Map<string, EncodedQuestion>();

  private constructor(encoder: Encoder, digest: string) {
    this.#encoder = encoder;
    this.digest = digest;
  }

  static async open(model: string): Promise<EmbeddedSearch> {
    const modelSha256 = createHash("sha256").update(readFileSync(model)).digest("hex");
    const vectors = vectorsDigest(EMBEDDER, modelSha256);
    return new EmbeddedSearch(await Encoder.open(EMBEDDER, { model, digest: vectors }, { threads: THREADS }), vectors);
  }

  /** With the model that the evaluation's server fetches, from the same folder. */
  static async fetched(): Promise<EmbeddedSearch> {
    const files = await fetchWeights(fileURLToPath(WEIGHTS), EMBEDDER.name as WeightsName);
    return EmbeddedSearch.open(files["model.onnx"]!.path);
  }

  /** Builds an index of the documents and searches it for each question. */
  async ask(documents: SourceDocument[], questions: readonly string[], limit: number): Promise<Found[]> {
    const folder = mkdtempSync(join(tmpdir(), "caigun-eval-"));
    try {
      const path = join(folder, "index");
      writeIndex(path, documents);
      await addVectors(path, {
        name: EMBEDDER.name,
        digest: this.digest,
        languages: EMBEDDER.languages,
        encode: (pieces) => this.#encodePassage(pieces),
      });
      const index = openIndex(path);
      try {
        const found: Found[] = [];
        for (const question of questions) {
          const { text, corrections } = index.correct(question);
          // In a language that the model does not know nothing was embedded.
          const vectors = index.embedder && (await this.#encodeQuestion(text));
          found.push(index.search(text, limit, { corrections, ...(vectors ? { vectors } : {}) }));
        }
        return found;
      } finally {
        index.close();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  close(): Promise<void> {
    return this.#encoder.close();
  }

  async #encodePassage(pieces: readonly string[]): Promise<EncodedPassage> {
    const key = JSON.stringify(pieces);
    const encoded = this.#passages.get(key) ?? (await this.#encoder.encodePassage(pieces));
    this.#passages.set(key, encoded);
    return encoded;
  }

  async #encodeQuestion(question: string): Promise<EncodedQuestion> {
    const encoded = this.#questions.get(question) ?? (await this.#encoder.encodeQuestion(question));
    this.#questions.set(question, encoded);
    return encoded;
  }
}
