import { fileURLToPath } from "node:url";
import { defaultSettings, openBase, trainAdapter } from "@caigun/lora";

/** Trains a small model a few steps in the folder that is named, and prints how it ended. */
const folder = process.argv[2]!;
const base = await openBase(fileURLToPath(new URL("../../packages/lora/goldens/tiny-llama", import.meta.url)));
try {
  await trainAdapter({
    base,
    samples: [{ tokens: [5, 9, 2, 77, 31, 8], supervisedFrom: 1 }],
    heldOut: [],
    settings: { ...defaultSettings, r: 2, alpha: 4, length: 8, batch: 1, steps: 2 },
    folder,
    checkpoint: `${folder}/checkpoint`,
    precision: "float32",
    threads: 1,
    memoryBytes: 2e9,
  });
  console.log("trained");
} catch (error) {
  console.log((error as NodeJS.ErrnoException).code ?? String(error));
} finally {
  base.close();
}
