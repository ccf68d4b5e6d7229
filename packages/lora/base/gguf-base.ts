import { checkArchitecture } from "./architecture.ts";
import type { Architecture } from "./base.ts";
import { type GgufHeader, readGgufHeader } from "./gguf-header.ts";
import { halvesFromPairs } from "./layout.ts";
import { type ModelFile, matchTensors } from "./model-file.ts";
import { BaseRefused } from "./problems.ts";
import type { RandomAccessFile } from "./random-access-file.ts";
import { shown } from "./stored-tensors.ts";
import { expectedTensors } from "./tensor-names.ts";

/** The model in a GGUF file. Throws BaseRefused where it is none of the GPT-2 or Llama family, or not a whole one. */
export function readGgufModel(file: RandomAccessFile): ModelFile {
  const header = readGgufHeader(file);
  const architecture = architectureOf(header, file.path);
  const expected = expectedTensors(architecture);
  const byName = new Map([...header.tensors.values()].map((tensor) => [tensor.name, tensor]));
  const matched = matchTensors(
    file.path,
    expected,
    byName,
    ({ name }) => name,
    ({ shape }) => shape,
  );
  return {
    architecture,
    tensors: matched,
    canonical(values, { rotatedHeads }) {
      return rotatedHeads === undefined ? values : halvesFromPairs(values, rotatedHeads, architecture.headWidth);
    },
  };
}

/** What the metadata say of the model (docs/gguf.md of ggml, "LLM"). */
export function architectureOf({ metadata, tensors }: GgufHeader, path: string): Architecture {
  const family = metadata.get("general.architecture");
  if (metadata.get("general.type") === "adapter")
    throw new BaseRefused(`${path} is an adapter, not a model: name the GGUF file of the model that it belongs to.`);
  if (family !== "gpt2" && family !== "llama")
    throw new BaseRefused(
      `${path} holds a model of the family ${shown(String(family))}: only gpt2 and llama can be trained here. Name a base of one of them.`,
    );
  const number = (key: string, byDefault?: number): number => {
    const value = metadata.get(`${family}.${key}`) ?? byDefault;
    if (typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    if (typeof value === "number") return value;
    throw new BaseRefused(`${path} does not say ${family}.${key} as a number: it is no whole model. Fetch it again.`);
  };
  const [width, heads] = [number("embedding_length"), number("attention.head_count")];
  const isLlama = family === "llama";
  const headWidth = isLlama ? number("attention.key_length", width / heads) : width / heads;
  if (isLlama) refuseUnusual(number, headWidth, metadata.get("llama.rope.scaling.type"), path);
  return checkArchitecture(
    {
      family,
      layers: number("block_count"),
      width,
      heads,
      keyValueHeads: isLlama ? number("attention.head_count_kv", heads) : heads,
      headWidth,
      feedForwardWidth: number("feed_forward_length"),
      // Not every converter writes it down; the embedding has a row for each token.
      vocabulary: tensors.get("token_embd.weight")?.shape[0] ?? number("vocab_size"),
      contextLength: number("context_length"),
      normEpsilon: rounded(number(isLlama ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon")),
      ropeBase: isLlama ? number("rope.freq_base", 10_000) : undefined,
    },
    path,
  );
}

/** The decimal number that was written as a 32-bit float: 9.999999747378752e-06 is 1e-05. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}

function refuseUnusual(
  number: (key: string, byDefault?: number) => number,
  headWidth: number,
  scaling: unknown,
  path: string,
): void {
  const unusual =
    number("rope.dimension_count", headWidth) !== headWidth
      ? "turns only some rows of each head"
      : number("attention.value_length", headWidth) !== headWidth
        ? "has values of another width than keys"
        : (scaling !== undefined && scaling !== "none") || number("rope.scale_linear", 1) !== 1
          ? "stretches its rotary positions"
          : number("expert_count", 0) > 0
            ? "is a mixture of experts"
            : undefined;
  if (unusual)
    throw new BaseRefused(
      `${path} holds a model of the Llama family that ${unusual}: such can't be trained here. Name another base.`,
    );
}
