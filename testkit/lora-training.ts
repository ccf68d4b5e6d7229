import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type Base, type OpenedBase, openBase, type Sample } from "@caigun/lora";
import type { AdapterLayout } from "../packages/lora/architectures/adapter.ts";
import type { Graph } from "../packages/lora/graph/graph.ts";
import type { Precision } from "../packages/lora/onnx/emitter.ts";
import { exactIntegers } from "../packages/lora/onnx/exact-integers.ts";
import { FrozenFile } from "../packages/lora/onnx/frozen-file.ts";
import { lower } from "../packages/lora/onnx/lower.ts";
import type { WeightIntegers } from "../packages/lora/onnx/quantise.ts";
import { type Feeds, Session } from "../packages/lora/onnx/session.ts";
import type { SmallModel } from "./lora-adapters.ts";
import { seededRandom } from "./random.ts";

/** A folder that goes with the test. */
export async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-lora-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function smallBase(t: TestContext, name: SmallModel): Promise<OpenedBase> {
  const base = await openBase(fileURLToPath(new URL(`../packages/lora/goldens/${name}`, import.meta.url)));
  t.after(() => base.close());
  return base;
}

type Read = (name: string) => Float32Array;
type OpenedGraph = { session: Session; close: () => Promise<void> };

/** A graph that runs until the test ends; `read` gives its frozen tensors. */
export async function opened(t: TestContext, graph: Graph, read: Read, precision?: Precision): Promise<Session> {
  const { session, close } = await openGraph(graph, read, precision);
  t.after(close);
  return session;
}

/** The same until it is closed; `integers` instead of those that this processor needs. */
export async function openGraph(
  graph: Graph,
  read: Read,
  precision: Precision = "float32",
  integers?: WeightIntegers,
): Promise<OpenedGraph> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-lora-"));
  const file = new FrozenFile(join(folder, "frozen"), read, integers ?? (await exactIntegers(folder)));
  const model = lower(graph, precision, file);
  file.close();
  const session = await Session.open(folder, "model", model, { threads: 1 });
  const close = async () => {
    await session.close();
    await rm(folder, { recursive: true });
  };
  return { session, close };
}

/** Samples of random tokens, from 2 to `longest` long. */
export function randomSamples(
  { architecture: { vocabulary } }: Base,
  { count, longest, seed }: { count: number; longest: number; seed: number },
): Sample[] {
  const random = seededRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  return Array.from({ length: count }, () => {
    const tokens = Array.from({ length: 2 + below(longest - 1) }, () => below(vocabulary));
    return { tokens, supervisedFrom: 1 + below(tokens.length - 1) };
  });
}

/** As large as a trained adapter's: A and B of a size with which each changes what the layer gives. */
export function randomParameters({ size }: AdapterLayout, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: size }, () => (random() - 0.5) * 0.5);
}

/** A step's inputs beside the batch's: nothing accumulated, AdamW at its beginning. */
export function firstStep(parameters: Float32Array, { apply }: { apply: boolean }): Feeds {
  return {
    parameters,
    firstMoment: new Float32Array(parameters.length),
    secondMoment: new Float32Array(parameters.length),
    accumulated: new Float32Array(parameters.length),
    learningRate: Float32Array.of(1e-3),
    correction1: Float32Array.of(1 - 0.9),
    correction2: Float32Array.of(1 - 0.999),
    apply: Float32Array.of(Number(apply)),
  };
}
