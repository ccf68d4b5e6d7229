import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Architecture } from "../base/base.ts";
import { type Adapter, linearLayers, type PlacedTarget, placedTargets } from "./adapter.ts";
import { type AdapterFacts, card } from "./card.ts";
import { bytesIn, writeAt, writeWhole } from "./whole-file.ts";

/**
 * Writes an adapter as Hugging Face's PEFT saves one (adapter_model.safetensors, adapter_config.json) with its card
 * (README.md) into `folder`, which is made where it is missing. Throws RangeError where the adapter fits its
 * architecture badly.
 */
export async function exportPeft(adapter: Adapter, folder: string, facts: AdapterFacts): Promise<void> {
  const targets = placedTargets(adapter);
  await mkdir(folder, { recursive: true });
  await writeAdapterModel(join(folder, "adapter_model.safetensors"), adapter, targets);
  const config = {
    base_model_name_or_path: facts.base.name,
    bias: "none",
    fan_in_fan_out: adapter.architecture.family === "gpt2",
    inference_mode: true,
    init_lora_weights: true,
    lora_alpha: adapter.alpha,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: "LORA",
    r: adapter.r,
    target_modules: targetModules(adapter.architecture, targets),
    task_type: "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
  await writeFile(join(folder, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  await writeFile(join(folder, "README.md"), card(adapter, facts));
}

/** The module's path in Hugging Face's model of the family. */
function moduleOf({ layer }: Pick<PlacedTarget, "layer">, family: Architecture["family"]): string {
  const inner = family === "gpt2" ? "transformer" : "model";
  return `${inner}.${layer.huggingFace.replace(/\.weight$/, "")}`;
}

/** Names that PEFT matches at the end of a module's path: short ones where they mean exactly the targets, else whole paths. */
function targetModules(architecture: Architecture, targets: readonly PlacedTarget[]): string[] {
  const { family } = architecture;
  const wanted = new Set(targets.map((target) => moduleOf(target, family)));
  const all = linearLayers(architecture).map((layer) => moduleOf({ layer }, family));
  const names = new Set<string>();
  for (const path of wanted) {
    const parts = path.split(".");
    // c_proj, else attn.c_proj, else the path with its block's number.
    const short = [parts.slice(-1), parts.slice(-2)]
      .map((end) => end.join("."))
      .find((end) => all.every((other) => !other.endsWith(`.${end}`) || wanted.has(other)));
    names.add(short ?? path);
  }
  return [...names].sort();
}

/** The format of safetensors: the header's length, the header, the numbers. */
async function writeAdapterModel(path: string, { r, architecture }: Adapter, targets: readonly PlacedTarget[]) {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  const pieces: Uint8Array[] = [];
  let end = 0;
  for (const target of targets) {
    const [out, into] = target.layer.shape;
    const module = `base_model.model.${moduleOf(target, architecture.family)}`;
    for (const [name, shape, numbers] of [
      ["lora_A", [r, into], target.a],
      ["lora_B", [out, r], target.b],
    ] as const) {
      header[`${module}.${name}.weight`] = { dtype: "F32", shape, data_offsets: [end, end + numbers.byteLength] };
      pieces.push(bytesIn(numbers));
      end += numbers.byteLength;
    }
  }
  const json = JSON.stringify(header);
  const padded = Buffer.from(json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeWhole(path, async (file) => {
    let position = 0;
    for (const piece of [length, padded, ...pieces]) {
      await writeAt(file, piece, position);
      position += piece.length;
    }
  });
}
