import { availableParallelism } from "node:os";
import type { AdaptedModelsOptions } from "./adapted-models.ts";

/**
 * Contexts of 30 MB each, and adapters of 20 MB each with a base of 135 million parameters: less than 1 GB together.
 * A model's threads wait for each other at every step: one that shares its core with other work makes a reply ten times
 * slower.
 */
export const adaptedModelsLimits: AdaptedModelsOptions = {
  mostContexts: 6,
  mostAdapters: 24,
  threads: Math.max(1, availableParallelism() - 1),
};
