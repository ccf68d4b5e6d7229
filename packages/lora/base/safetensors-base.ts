import { describedModel } from "./hugging-face-config.ts";
import { transposed } from "./layout.ts";
import { type ModelFile, matchTensors } from "./model-file.ts";
import { BaseRefused } from "./problems.ts";
import { RandomAccessFile } from "./random-access-file.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import { expectedTensors } from "./tensor-names.ts";

/** What some files hold beside the weights: masks, and frequencies that follow from the description. */
const COMPUTED = /(^|\.)(attn\.(masked_)?bias|rotary_emb\.inv_freq)$/;
const OUTPUT = "lm_head.weight";
const PREFIXES = ["", "transformer.", "model."];
const MOST_JSON_BYTES = 100_000_000;

/** The model in a safetensors file with Hugging Face's names. Throws BaseRefused. */
export function readSafetensorsModel(file: RandomAccessFile, configPath: string): ModelFile {
  const { architecture, isTied } = describedModel(readJson(configPath), configPath);
  const stored = readSafetensorsHeader(file, (name) => !COMPUTED.test(name) && !(isTied && name === OUTPUT));
  const expected = expectedTensors(architecture);
  const prefix = PREFIXES.find((candidate) => stored.has(candidate + expected[0]!.huggingFace)) ?? "";
  const tensors = matchTensors(
    file.path,
    expected.map((tensor) => (tensor.isOptional ? { ...tensor, isOptional: isTied } : tensor)),
    stored,
    ({ huggingFace }) => (huggingFace === OUTPUT ? OUTPUT : prefix + huggingFace),
    ({ shape, isConv1d }) => (isConv1d ? shape.toReversed() : shape),
  );
  return {
    architecture,
    tensors,
    canonical: (values, { isConv1d, shape }) => (isConv1d ? transposed(values, shape[1]!, shape[0]!) : values),
  };
}

/** An object in a JSON file. Throws BaseRefused. */
export function readJson(path: string): Record<string, unknown> {
  const file = new RandomAccessFile(path);
  try {
    if (file.bytes > MOST_JSON_BYTES) throw new Error(`it has ${file.bytes} bytes`);
    const value: unknown = JSON.parse(file.read(0, file.bytes).toString("utf8"));
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no JSON object");
    return value as Record<string, unknown>;
  } catch (error) {
    throw new BaseRefused(`${path} can't be used: ${(error as Error).message}. Fetch it again.`, { cause: error });
  } finally {
    file.close();
  }
}
