import { open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** All that a training is, between two steps. */
export interface TrainingState {
  /** How many steps were made. */
  step: number;
  parameters: Float32Array;
  firstMoment: Float32Array;
  secondMoment: Float32Array;
  /** The parameters with the smallest held-out loss so far. */
  best: { parameters: Float32Array; step: number; heldOutLoss: number };
  /** Evaluations since then. */
  evaluationsWithoutGain: number;
  curve: CurvePoint[];
}

export interface CurvePoint {
  step: number;
  loss: number | null;
  heldOutLoss: number | null;
}

const ARRAYS = ["parameters", "firstMoment", "secondMoment"] as const;
const MAGIC = "caigun-lora checkpoint 1\n";

/**
 * Writes the state whole or not at all: into a file beside, which takes the other's name once it is on the disk. `settles`
 * names what the training is made of; a state is read back only by the same.
 */
export async function writeCheckpoint(path: string, settles: string, state: TrainingState): Promise<void> {
  const { step, best, evaluationsWithoutGain, curve } = state;
  const facts = { settles, step, bestStep: best.step, heldOutLoss: best.heldOutLoss, evaluationsWithoutGain, curve };
  const head = Buffer.from(`${MAGIC}${JSON.stringify(facts)}\n`);
  const part = `${path}.part`;
  const file = await open(part, "w", 0o600);
  try {
    for (const bytes of [head, ...[...ARRAYS.map((name) => state[name]), best.parameters].map(bytesOf)])
      await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, path);
  const folder = await open(dirname(path), "r");
  await folder.sync().finally(() => folder.close());
}

/** The state of a training that is made of the same; undefined where there is none, or one of another training. */
export async function readCheckpoint(path: string, settles: string, size: number): Promise<TrainingState | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!bytes?.subarray(0, MAGIC.length).equals(Buffer.from(MAGIC))) return undefined;
  const headEnd = bytes.indexOf(10, MAGIC.length) + 1;
  const arrayBytes = size * Float32Array.BYTES_PER_ELEMENT;
  if (headEnd === 0 || bytes.length !== headEnd + 4 * arrayBytes) return undefined;
  const facts = factsIn(bytes.toString("utf8", MAGIC.length, headEnd));
  if (facts?.settles !== settles) return undefined;
  const array = (at: number) => {
    const start = headEnd + at * arrayBytes;
    return new Float32Array(new Uint8Array(bytes.subarray(start, start + arrayBytes)).buffer);
  };
  return {
    step: facts.step,
    parameters: array(0),
    firstMoment: array(1),
    secondMoment: array(2),
    best: { parameters: array(3), step: facts.bestStep, heldOutLoss: facts.heldOutLoss ?? Number.POSITIVE_INFINITY },
    evaluationsWithoutGain: facts.evaluationsWithoutGain,
    curve: facts.curve,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what `settles` agrees with, writeCheckpoint wrote.
function factsIn(head: string): any {
  try {
    return JSON.parse(head);
  } catch {
    return undefined;
  }
}

function bytesOf(array: Float32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
