import { availableParallelism } from "node:os";
import type { AdaptedModelsOptions } from "./adapted-models.ts";

/**
 * With a base of 135 million parameters six contexts, and sixteen adapters of 20 MB: less than 2 GB together with what
 * the system does not get back at once. Larger bases have fewer.
 * A model's threads wait for each other at every step: one that shares its core with other work makes a reply ten times
 * slower.
 */
export const adaptedModelsLimits: AdaptedModelsOptions = {
  contextBytes: 350e6,
  adapterBytes: 320e6,
  threads: Math.max(1, availableParallelism() - 1),
};
