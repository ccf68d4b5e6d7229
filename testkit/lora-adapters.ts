import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Adapter, type OpenedBase, openBase } from "@caigun/lora";
import { linearLayers } from "../packages/lora/export/adapter.ts";
import { seededRandom } from "./random.ts";

type PeftGolden = {
  tensors: Record<string, { shape: number[]; values: string }>;
  config: Record<string, unknown>;
  logits: number[];
};

const folder = new URL("../packages/lora/goldens/", import.meta.url);
const goldens = JSON.parse(readFileSync(new URL("peft.json", folder), "utf8")) as {
  ids: number[];
  models: Record<string, PeftGolden>;
};

export const smallModels = ["tiny-gpt2", "tiny-llama"] as const;
export type SmallModel = (typeof smallModels)[number];

/** A small model, an adapter of it that PEFT made, and the logits after `ids` that PEFT got with it. */
export async function adaptedSmallModel(name: SmallModel) {
  const base = await openBase(fileURLToPath(new URL(name, folder)));
  const golden = goldens.models[name]!;
  const numbers = (module: string, part: "A" | "B") => {
    const key = Object.keys(golden.tensors).find((other) => other.endsWith(`.${module}.lora_${part}.weight`))!;
    return new Float32Array(Uint8Array.from(Buffer.from(golden.tensors[key]!.values, "hex")).buffer);
  };
  const targets = linearLayers(base.architecture).map(({ name, huggingFace }) => {
    const module = huggingFace.replace(/\.weight$/, "");
    return { name, a: numbers(module, "A"), b: numbers(module, "B") };
  });
  const { r, lora_alpha: alpha } = golden.config as { r: number; lora_alpha: number };
  const adapter: Adapter = { r, alpha, targets, architecture: base.architecture, baseDigest: base.digest };
  return { base, adapter, golden, ids: goldens.ids };
}

/** An adapter of all linear layers with random numbers, as large as a trained one's. */
export function randomAdapter(
  base: OpenedBase,
  { r, alpha, seed }: { r: number; alpha: number; seed: number },
): Adapter {
  const random = seededRandom(seed);
  const numbers = (length: number, size: number) => Float32Array.from({ length }, () => (random() - 0.5) * size);
  const targets = linearLayers(base.architecture).map(({ name, shape: [out, into] }) => ({
    name,
    a: numbers(r * into, 2 / Math.sqrt(into)),
    b: numbers(out * r, 0.2),
  }));
  return { r, alpha, targets, architecture: base.architecture, baseDigest: base.digest };
}
