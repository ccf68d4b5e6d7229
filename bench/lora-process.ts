import { readFileSync, readSync, writeSync } from "node:fs";
import { openBase, type Sample, type TrainingSettings, trainAdapter } from "@caigun/lora";

/** What a training of ours is given, in a file of JSON that the command line names. */
export type LoraGiven = {
  base: string;
  /** Only the first so many layers of the base. */
  layers?: number;
  samples: Sample[];
  heldOut: Sample[];
  settings: TrainingSettings;
  precision: "float32" | "int8";
  threads: number;
  memoryBytes: number;
  /** Where the graphs are while it runs. */
  folder: string;
  /** Waits after each step for a line. */
  inTurns: boolean;
};

const given = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as LoraGiven;
const print = (line: object) => writeSync(1, `${JSON.stringify(line)}\n`);
const opened = await openBase(given.base);
const layers = given.layers ?? opened.architecture.layers;
const { curve } = await trainAdapter({
  ...given,
  base: { ...opened, architecture: { ...opened.architecture, layers } },
  checkpoint: `${given.folder}/checkpoint`,
  onProgress: ({ loss }) => {
    print({ loss });
    // A blocking read: the process takes its turn, and does nothing in another's.
    if (given.inTurns && readSync(0, Buffer.alloc(1)) === 0) process.exit();
  },
});
print({ heldOutLoss: curve.at(-1)!.heldOutLoss });
opened.close();
