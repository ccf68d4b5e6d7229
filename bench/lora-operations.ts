import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { OpenedBase, Sample, TrainingSettings } from "@caigun/lora";
import { adapterLayout } from "../packages/lora/architectures/adapter.ts";
import { adaptableLayers } from "../packages/lora/architectures/language-model.ts";
import { exactIntegers } from "../packages/lora/onnx/exact-integers.ts";
import { FrozenFile } from "../packages/lora/onnx/frozen-file.ts";
import { lower } from "../packages/lora/onnx/lower.ts";
import { Session } from "../packages/lora/onnx/session.ts";
import { feedsOf, mostSupervised, pack } from "../packages/lora/training/packing.ts";
import { stepGraph } from "../packages/lora/training/step-graph.ts";

type Event = { cat: string; name: string; dur: number; args?: { op_name?: string } };
const STEPS = 3;

/** Which share of a training step each of ONNX Runtime's operators takes, the largest first. */
export async function timeByOperator(
  base: OpenedBase,
  samples: readonly Sample[],
  settings: TrainingSettings,
  { folder, threads }: { folder: string; threads: number },
): Promise<Record<string, number>> {
  const { batch, length, adamW } = settings;
  const rows = pack(samples, length).slice(0, batch);
  const size = { batch, length, supervised: mostSupervised(rows, batch) };
  const layout = adapterLayout(adaptableLayers(base), settings);
  const file = new FrozenFile(join(folder, "frozen"), base.read, await exactIntegers(folder));
  const model = lower(stepGraph(base, layout, size, adamW, 0), "int8", file);
  file.close();
  const session = await Session.open(folder, "profile", model, { threads, profile: true });
  const numbers = () => new Float32Array(layout.size);
  const one = Float32Array.of(1);
  const state = { parameters: numbers(), firstMoment: numbers(), secondMoment: numbers(), accumulated: numbers() };
  const feeds = { ...feedsOf(rows, size, 1 / size.supervised), ...state };
  for (let step = 0; step < STEPS; step++)
    await session.run({ ...feeds, learningRate: one, correction1: one, correction2: one, apply: one });
  await session.close();
  const trace = (await readdir(folder)).find((name) => /^profile_.*\.json$/.test(name))!;
  const events = JSON.parse(await readFile(join(folder, trace), "utf8")) as Event[];
  const spent = new Map<string, number>();
  for (const { cat, name, dur, args } of events)
    if (cat === "Node" && name.endsWith("_kernel_time") && args?.op_name)
      spent.set(args.op_name, (spent.get(args.op_name) ?? 0) + dur);
  const all = [...spent.values()].reduce((sum, time) => sum + time, 0);
  return Object.fromEntries([...spent].sort((a, b) => b[1] - a[1]).map(([operator, time]) => [operator, time / all]));
}
