import { createHash } from "node:crypto";

/** How a model turns texts into vectors. The files that it needs are an entry of the same name in packages/weights. */
export interface Embedder {
  name: string;
  /** BCP-47 primary subtags of the languages that it was trained on. */
  languages: ReadonlySet<string>;
  /** What the model was trained to see before a question and before a passage. */
  questionPrefix: string;
  passagePrefix: string;
  /** Of a vector (C), and of a token's vector as it is stored, after the projection. */
  dimensions: number;
  storedDimensions: number;
  /** The longest sequence, its two marks included. */
  maxTokens: number;
  /** Files of the project; a tokenizer that is not named comes with the weights. */
  tokenizer?: URL;
  projection?: URL;
  graph?: Graph;
}

/** How one file's weights are computed with, where that is not the graph that stands in the file itself. */
export interface Graph {
  /** An ONNX model whose large tensors lie in `model.onnx`, by their places there (ONNX external data). */
  file: URL;
  /** Of the graph, and of the only file whose places it names. SHA-256, in hexadecimal. */
  sha256: string;
  modelSha256: string;
}

const MINILM = "all-minilm-l6-v2-int8";
const E5 = "multilingual-e5-small-int8";

/** The languages that multilingual-e5-small names on its card, as far as CaiGun tells them apart. */
const E5_LANGUAGES =
  "af am ar as az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ky la lo lt lv mg mk ml mn mr ms my ne nl no or pa pl pt ro ru sk sl so sq sr sv sw ta te th tl tr uk ur uz vi yi zh";

/** The models that passages can be embedded with, by name. Each pools by the mean over all tokens. */
export const embedders = {
  /** Reimers and Gurevych 2019 (arXiv 1908.10084); Wang et al. 2020 (arXiv 2002.10957). */
  [MINILM]: {
    name: MINILM,
    languages: new Set(["en"]),
    questionPrefix: "",
    passagePrefix: "",
    dimensions: 384,
    storedDimensions: 128,
    maxTokens: 512,
    tokenizer: new URL("./all-minilm-l6-v2/tokenizer.json", import.meta.url),
    projection: new URL("./all-minilm-l6-v2/projection.bin", import.meta.url),
    graph: {
      file: new URL("./all-minilm-l6-v2/graph.onnx", import.meta.url),
      sha256: "99e71d6face6cf7074c3e20af44b8fe50352fbe4b0fe0757ea15b681b8873ba1",
      modelSha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    },
  },
  /** Wang et al. 2024 (arXiv 2402.05672). */
  [E5]: {
    name: E5,
    languages: new Set(E5_LANGUAGES.split(" ")),
    questionPrefix: "query: ",
    passagePrefix: "passage: ",
    dimensions: 384,
    storedDimensions: 384,
    maxTokens: 512,
  },
} as const satisfies Record<string, Embedder>;

export type EmbedderName = keyof typeof embedders;
export const embedderNames = Object.keys(embedders) as EmbedderName[];

/**
 * Names what makes the vectors, which is the file and the graph that computes with it best: only vectors with the same
 * name can be compared. What the graph in the file makes has the file's own digest.
 */
export function vectorsDigest({ graph }: Embedder, modelSha256: string): string {
  if (graph?.modelSha256 !== modelSha256) return modelSha256;
  return createHash("sha256").update(`${modelSha256} ${graph.sha256}`).digest("hex");
}

/** The graph that makes vectors of this name; undefined: the one in the file does. */
export function graphOf(embedder: Embedder, digest: string): Graph | undefined {
  const { graph } = embedder;
  return graph && vectorsDigest(embedder, graph.modelSha256) === digest ? graph : undefined;
}

export function embedderNamed(name: EmbedderName): Embedder {
  return embedders[name];
}
