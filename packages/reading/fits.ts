import type { HybridWeights } from "./hybrid-weights.ts";
import minilm from "./weights/all-minilm-l6-v2-int8.json" with { type: "json" };
import other from "./weights/other.json" with { type: "json" };
import shipped from "./weights/shipped.json" with { type: "json" };

/** Learned weights: those where only words speak, and by embedder those where vectors speak too. */
export interface Fit {
  lexical: Pick<typeof shipped, "confidence" | "thresholds">;
  hybrid: Readonly<Record<string, HybridWeights>>;
}

/**
 * By the data that they were fitted on. "shipped" is what people get; the others serve to evaluate on data that it saw:
 * "other" has lexical weights of other files, "fold-N" hybrid weights that did not see every fifth article from N on.
 */
const fits = {
  shipped: { lexical: shipped, hybrid: { "all-minilm-l6-v2-int8": minilm.whole } },
  other: { lexical: other, hybrid: { "all-minilm-l6-v2-int8": minilm.whole } },
  "fold-0": fold(0),
  "fold-1": fold(1),
  "fold-2": fold(2),
  "fold-3": fold(3),
  "fold-4": fold(4),
};

function fold(number: number): Fit {
  return { lexical: shipped, hybrid: { "all-minilm-l6-v2-int8": minilm.folds[number]! } };
}

export type FitName = keyof typeof fits;
export const fitNames = Object.keys(fits) as FitName[];

export function fitNamed(name: FitName): Fit {
  return fits[name];
}
