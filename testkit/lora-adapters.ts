import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Adapter, type OpenedBase, openBase } from "@caigun/lora";
import { adapterLayout } from "../packages/lora/architectures/adapter.ts";
import { linearLayers } from "../packages/lora/export/adapter.ts";
import { logitsGraph } from "../packages/lora/training/step-graph.ts";
import { openGraph } from "./lora-training.ts";
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

/** The logits after `ids`, by the graph that is trained, in float32. */
export async function ownLogits(base: OpenedBase, adapter: Adapter, ids: readonly number[]): Promise<number[]> {
  const layers = new Map(linearLayers(base.architecture).map(({ name, shape }) => [name, shape as [number, number]]));
  const layout = adapterLayout(
    adapter.targets.map(({ name }) => ({ name, shape: layers.get(name)! })),
    adapter,
  );
  const parameters = new Float32Array(adapter.targets.flatMap(({ a, b }) => [...a, ...b]));
  const { session, close } = await openGraph(
    logitsGraph(base, layout, { batch: 1, length: ids.length }),
    base.read,
    "float32",
  );
  try {
    const { logits } = await session.run({
      parameters,
      tokens: BigInt64Array.from(ids, BigInt),
      positions: BigInt64Array.from(ids, (_, at) => BigInt(at)),
      segments: new BigInt64Array(ids.length),
    });
    return [...logits!.slice(-base.architecture.vocabulary)];
  } finally {
    await close();
  }
}
