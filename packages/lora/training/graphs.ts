import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AdapterLayout } from "../architectures/adapter.ts";
import type { Base } from "../base/base.ts";
import type { Kept } from "../gradients/recompute.ts";
import { elements, type Graph } from "../graph/graph.ts";
import { peakMemory } from "../graph/peak-memory.ts";
import type { Precision } from "../onnx/emitter.ts";
import { exactIntegers } from "../onnx/exact-integers.ts";
import { FrozenFile } from "../onnx/frozen-file.ts";
import { lower } from "../onnx/lower.ts";
import { Session } from "../onnx/session.ts";
import { mostSupervised, type PackedRow } from "./packing.ts";
import type { TrainingSettings } from "./settings.ts";
import { lossGraph, type StepSize, stepGraph } from "./step-graph.ts";

/** The training needs more memory than it may take, however much of it is computed twice. */
export class TrainingTooLarge extends Error {
  override name = "TrainingTooLarge";
  readonly neededBytes: number;
  constructor(neededBytes: number, memoryBytes: number) {
    const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);
    super(
      `The training needs about ${megabytes(neededBytes)} MB of memory, and ${megabytes(memoryBytes)} MB may be taken.`,
    );
    this.neededBytes = neededBytes;
  }
}

/** What one training runs: its step, and the loss of what is held out. */
export interface Graphs {
  step: Session;
  size: StepSize;
  heldOut: Session | undefined;
  heldOutSize: StepSize;
  tokensPerStep: number;
  close(): Promise<void>;
}

export interface GraphsOptions {
  base: Base;
  layout: AdapterLayout;
  settings: TrainingSettings;
  folder: string;
  precision: Exclude<Precision, "float64">;
  threads: number;
  memoryBytes: number;
}

/** From the fastest way to the one that takes the least memory. */
const WAYS: readonly Kept[] = ["everything", "products", "inputs"];
/**
 * Beside the graph's values: the runtime, and the quantised copies of activations with what an allocator can't use again,
 * which grow with the widest activation. Measured on models of 135 million parameters (600 MB) and of 1.07 billion
 * (1.8 GB), both 1,024 tokens at a time.
 */
const RUNTIME_BYTES = 310e6;
const COPIES_OF_WIDEST = 46;
const REAL_BYTES = 4;

/** Throws TrainingTooLarge. */
export async function openGraphs(options: GraphsOptions, rows: PackedRow[], heldOutRows: PackedRow[]): Promise<Graphs> {
  const { base, layout, settings, folder, precision, threads } = options;
  const { batch, length } = settings;
  const sizeFor = (of: PackedRow[]): StepSize => ({ batch, length, supervised: mostSupervised(of, batch) });
  const [size, heldOutSize] = [sizeFor(rows), sizeFor(heldOutRows)];
  const stepAsGraph = stepThatFits(options, size);
  const frozenPath = join(folder, "frozen");
  await rm(frozenPath, { force: true });
  const integers = precision === "int8" ? await exactIntegers(folder) : undefined;
  const frozen = new FrozenFile(frozenPath, (name) => base.read(name), integers);
  const sessions: Session[] = [];
  const close = async () => {
    for (const session of sessions) await session.close();
    for (const name of ["frozen", "step.onnx", "held-out.onnx"]) await rm(join(folder, name), { force: true });
  };
  try {
    const open = async (name: string, graph: Graph, how: { twoDigits?: boolean } = {}) => {
      const session = await Session.open(folder, name, lower(graph, precision, frozen, how), { threads });
      sessions.push(session);
      return session;
    };
    const step = await open("step", stepAsGraph);
    const heldOut =
      heldOutRows.length > 0
        ? await open("held-out", lossGraph(base, layout, heldOutSize), { twoDigits: true })
        : undefined;
    return { step, size, heldOut, heldOutSize, tokensPerStep: batch * length * settings.accumulate, close };
  } catch (error) {
    await close();
    throw error;
  } finally {
    frozen.close();
  }
}

function stepThatFits({ base, layout, settings, precision, memoryBytes }: GraphsOptions, size: StepSize): Graph {
  let needed = 0;
  for (const kept of WAYS) {
    const graph = stepGraph(base, layout, size, settings.adamW, settings.dropout, kept);
    needed = peakMemory(graph, REAL_BYTES) + frozenBytes(graph, precision) + overheadBytes(base, size);
    if (needed <= memoryBytes) return graph;
  }
  throw new TrainingTooLarge(needed, memoryBytes);
}

function overheadBytes({ architecture }: Base, { batch, length }: StepSize): number {
  return RUNTIME_BYTES + COPIES_OF_WIDEST * batch * length * architecture.feedForwardWidth * REAL_BYTES;
}

/** What a step reads of the file of frozen tensors: of a table only some rows, of a product's weights both ways. */
function frozenBytes(graph: Graph, precision: GraphsOptions["precision"]): number {
  const products = new Set(
    graph.nodes.flatMap(({ operation, inputs }) =>
      operation === "project" || operation === "crossEntropy" ? [inputs[1]] : [],
    ),
  );
  let bytes = 0;
  for (const value of products) if (value) bytes += elements(value.shape) * (precision === "int8" ? 2 : REAL_BYTES);
  return bytes;
}
