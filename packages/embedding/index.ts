export { type CacheLimits, EncodingCache } from "./cache.ts";
export { type Embedder, type EmbedderName, embedderNamed, embedderNames, vectorsDigest } from "./embedders.ts";
export { type EncodedPassage, type EncodedQuestion, Encoder, type EncoderFiles } from "./encoder.ts";
