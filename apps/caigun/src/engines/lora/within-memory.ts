import { TrainingTooLarge } from "@caigun/lora";
import type { LearnRequest } from "./messages.ts";

/** The base needs more memory than this machine could give, whatever else is ended on it. */
export class BaseTooLarge extends Error {
  override name = "BaseTooLarge";
}

type Memory = Pick<LearnRequest, "memoryBytes" | "mostMemoryBytes" | "machineMemoryBytes">;

/** Trains with the memory that is wanted, or where a base needs more, with as much as it needs at least. Throws BaseTooLarge, TrainingTooLarge. */
export async function withinMemory<Trained>(
  { memoryBytes, mostMemoryBytes, machineMemoryBytes }: Memory,
  train: (memoryBytes: number) => Promise<Trained>,
): Promise<Trained> {
  try {
    return await train(memoryBytes);
  } catch (error) {
    if (!(error instanceof TrainingTooLarge)) throw error;
    const { neededBytes } = error;
    if (neededBytes <= mostMemoryBytes) return train(neededBytes);
    throw neededBytes <= machineMemoryBytes ? error : new BaseTooLarge(error.message, { cause: error });
  }
}
