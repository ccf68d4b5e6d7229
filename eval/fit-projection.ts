/**
 * node eval/fit-projection.ts MODEL.onnx TEXT...: the projection of MiniLM's token vectors, by principal components over
 * texts that no evaluation asks about. Writes packages/embedding/all-minilm-l6-v2/projection.{bin,json}; the latter names
 * the model and the texts by digest.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { Encoder, embedderNamed, vectorsDigest } from "@caigun/embedding";
import { cutPassages, normalise } from "@caigun/text";
import { principalComponents } from "./principal-components.ts";

const MOST_PASSAGES = 1_500;
const SHORTEST_CHARACTERS = 80;

const [model, ...texts] = process.argv.slice(2);
if (!model || texts.length === 0) throw new Error("usage: node eval/fit-projection.ts MODEL.onnx TEXT...");
const { projection, ...embedder } = embedderNamed("all-minilm-l6-v2-int8");
const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const whole = { ...embedder, storedDimensions: embedder.dimensions };
const encoder = await Encoder.open(whole, { model, digest: vectorsDigest(whole, digest(model)) }, { threads: 2 });
const passages = texts.flatMap((path) => {
  const { text } = normalise(readFileSync(path, "utf8"));
  return cutPassages(text).map(({ start, end }) => text.slice(start, end));
});
const long = passages.filter((passage) => passage.length >= SHORTEST_CHARACTERS);
const step = Math.max(1, long.length / MOST_PASSAGES);
const width = embedder.dimensions;
const covariance = new Float64Array(width * width);
let tokens = 0;
for (let at = 0; at < long.length; at += step) {
  const encoded = await encoder.encodeQuestion(long[Math.floor(at)]!);
  for (let start = 0; start < encoded.tokens.length; start += width) {
    const token = encoded.tokens.subarray(start, start + width);
    for (let row = 0; row < width; row++)
      for (let column = row; column < width; column++)
        covariance[row * width + column]! += token[row]! * token[column]!;
    tokens++;
  }
}
await encoder.close();
for (let row = 0; row < width; row++)
  for (let column = 0; column < row; column++) covariance[row * width + column] = covariance[column * width + row]!;

const { components, share } = principalComponents(covariance, width, embedder.storedDimensions);
const bytes = Buffer.alloc(4 * components.length);
for (const [at, value] of components.entries()) bytes.writeFloatLE(value, 4 * at);
const fittedOn = texts.map((name) => ({ name: name.replace(/^.*node_modules\//, ""), sha256: digest(name) }));
writeFileSync(projection!, bytes);
writeFileSync(
  new URL("./projection.json", projection!),
  `${JSON.stringify({ model: digest(model), tokens, share: Number(share.toFixed(4)), fittedOn }, null, 2)}\n`,
);
console.log(
  `${tokens} tokens; ${embedderNamed("all-minilm-l6-v2-int8").storedDimensions} components hold ${(100 * share).toFixed(1)} %`,
);
