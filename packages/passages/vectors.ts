import { VarintReader, VarintWriter } from "./varints.ts";

/** What an embedding model says of a passage; T tokens, C and D dimensions. */
export interface PassageVectors {
  /** (T, D), in 1/127: of length 1. */
  tokens: Int8Array;
  /** How many of the tokens are of the lead (heading and question), and of each sentence. */
  tokensOfPiece: number[];
  /** (C), in `meanScale`/127: the mean over all tokens, of length 1. */
  mean: Int8Array;
  meanScale: number;
}

/** A question likewise, in float32. */
export interface QuestionVectors {
  /** The name of the model that encoded it. */
  embedder: string;
  /** (T, C) and, as passages' tokens are stored, (T, D); rows of length 1. */
  tokens: Float32Array;
  projected: Float32Array;
  /** (C), of length 1. */
  mean: Float32Array;
}

/** The columns of the table `vectors`. */
export function encodeVectors({ tokens, tokensOfPiece, mean, meanScale }: PassageVectors): {
  mean: Uint8Array;
  tokens: Uint8Array;
} {
  const scale = Buffer.alloc(4);
  scale.writeFloatLE(meanScale);
  const writer = new VarintWriter();
  writer.push(tokensOfPiece.length);
  for (const count of tokensOfPiece) writer.push(count);
  return {
    mean: Buffer.concat([scale, asBytes(mean)]),
    tokens: Buffer.concat([writer.take(), asBytes(tokens)]),
  };
}

/** Throws a RangeError where the bytes are cut off. */
export function decodeTokens(bytes: Uint8Array): Pick<PassageVectors, "tokens" | "tokensOfPiece"> {
  const reader = new VarintReader(bytes);
  const tokensOfPiece = Array.from({ length: reader.next() }, () => reader.next());
  const count = tokensOfPiece.reduce((sum, tokens) => sum + tokens, 0);
  const rest = bytes.subarray(reader.position);
  if (count > 0 ? rest.length % count !== 0 : rest.length > 0) throw new RangeError("truncated vectors");
  return { tokens: new Int8Array(rest.buffer, rest.byteOffset, rest.length), tokensOfPiece };
}

export function decodeMean(bytes: Uint8Array): Pick<PassageVectors, "mean" | "meanScale"> {
  const meanScale = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readFloatLE(0);
  return { mean: new Int8Array(bytes.buffer, bytes.byteOffset + 4, bytes.length - 4), meanScale };
}

function asBytes(values: Int8Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.length);
}
