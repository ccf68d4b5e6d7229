import { fileURLToPath } from "node:url";
import { Encoder, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { weightsForTests } from "../testkit/weights.ts";
import { makeCorpus } from "./corpus.ts";
import { median } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { pythonWithPeers, runSentenceTransformers } from "./peers/python.ts";

const PASSAGES = 100;
const THREADS = 2;
/** sentence-transformers' default, and one text at a time as CaiGun encodes. */
const BATCHES = [32, 1];

type Measured = { seconds: number; processor_seconds: number; vectors: ArrayLike<number>[] };

/**
 * CaiGun's encoder beside sentence-transformers' ONNX backend: the same file of the model, texts and threads, in turn
 * within each run. CaiGun's also makes the tokens' vectors ready for the index. Loading the model is not counted.
 */
export const embed: Bench = async ({ runs, progress }) => {
  const weights = await weightsForTests();
  if ("missing" in weights) throw new Error(weights.missing);
  const { path: model, sha256: modelSha256 } = weights.files["model.onnx"]!;
  const python = await pythonWithPeers(progress, "requirements-embedding.txt");
  const embedder = embedderNamed("all-minilm-l6-v2-int8");
  const encoder = await Encoder.open(
    embedder,
    { model, digest: vectorsDigest(embedder, modelSha256) },
    { threads: THREADS },
  );
  const texts = makeCorpus(PASSAGES).text.split("\n\n");
  const given = { model, tokenizer: fileURLToPath(embedder.tokenizer!), texts, threads: THREADS };
  let tokens = 0;

  const systems: Record<string, () => Promise<Measured>> = {
    caigun: async () => {
      await encoder.encodePassage([texts[0]!]); // as the peer, warm
      const [began, used] = [performance.now(), process.cpuUsage()];
      const encoded = [];
      for (const text of texts) encoded.push(await encoder.encodePassage([text]));
      const [seconds, { user, system }] = [(performance.now() - began) / 1000, process.cpuUsage(used)];
      tokens = encoded.reduce((sum, { tokensOfPiece }) => sum + tokensOfPiece[0]!, 0);
      return { seconds, processor_seconds: (user + system) / 1e6, vectors: encoded.map(({ mean }) => mean) };
    },
    ...Object.fromEntries(
      BATCHES.map((batch) => [nameOf(batch), () => runSentenceTransformers(python, { ...given, batch })]),
    ),
  };
  const results: Record<string, Measured[]> = Object.fromEntries(Object.keys(systems).map((name) => [name, []]));
  try {
    for (let run = 1; run <= runs; run++) {
      for (const [name, measure] of Object.entries(systems)) {
        progress(`run ${run} of ${runs}: ${name}`);
        results[name]!.push(await measure());
      }
    }
  } finally {
    await encoder.close();
  }
  const secondsOf = (name: string) => median(results[name]!.map(({ seconds }) => seconds));
  const figuresOf = (name: string): Figures => ({
    passages_per_second: PASSAGES / secondsOf(name),
    tokens_per_second: tokens / secondsOf(name),
    processor_ms_per_passage:
      (median(results[name]!.map(({ processor_seconds }) => processor_seconds)) * 1000) / PASSAGES,
  });
  const vectorsOf = (name: string) => results[name]![0]!.vectors;
  return {
    passages: PASSAGES,
    tokens,
    threads: THREADS,
    ...Object.fromEntries(Object.keys(systems).map((name) => [name, figuresOf(name)])),
    times_as_fast_as: Object.fromEntries(
      BATCHES.map((batch) => [nameOf(batch), secondsOf(nameOf(batch)) / secondsOf("caigun")]),
    ),
    // That both made the same vectors: the least cosine of a passage's two.
    least_cosine: Math.min(...vectorsOf("caigun").map((vector, at) => cosine(vector, vectorsOf(nameOf(1))[at]!))),
  };
};

const nameOf = (batch: number) => `sentence_transformers_batch_${batch}`;

function cosine(one: ArrayLike<number>, other: ArrayLike<number>): number {
  let [product, ofOne, ofOther] = [0, 0, 0];
  for (let at = 0; at < one.length; at++) {
    product += one[at]! * other[at]!;
    ofOne += one[at]! ** 2;
    ofOther += other[at]! ** 2;
  }
  return product / Math.sqrt(ofOne * ofOther);
}
