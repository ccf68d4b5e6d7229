import type { HybridWeights } from "./hybrid-weights.ts";
import minilm from "./weights/all-minilm-l6-v2-int8.json" with { type: "json" };
import otherWords from "./weights/other.json" with { type: "json" };
import shippedWords from "./weights/shipped.json" with { type: "json" };

/** Learned weights: those where only words speak, and by embedder those where vectors speak too. */
export interface Fit {
  lexical: Pick<typeof shippedWords, "confidence" | "thresholds"> & {
    /** What foreignLogOddsOf is on average in small parts of the fitting files. */
    foreignLogOdds: number;
  };
  hybrid: Readonly<Record<string, HybridWeights>>;
  fittedOn: readonly FittedOn[];
}

/** A file that some of the weights were fitted on. */
export interface FittedOn {
  name: string;
  /** In hexadecimal. */
  sha256: string;
  /** Where not every article was seen: those whose number leaves this remainder were held out. */
  heldOut?: { every: number; remainder: number };
}

export type FitName = "shipped" | "other" | `fold-${number}`;

const folds = minilm.folds.length;

/**
 * By what they were fitted on. "shipped" is what people get; the others serve to evaluate on data that it saw: "other" has
 * lexical weights of other files, "fold-N" hybrid weights that did not see every fifth article from N on.
 */
const fits = new Map<FitName, Fit>([
  ["shipped", fitOf(shippedWords, minilm.whole)],
  ["other", fitOf(otherWords, minilm.whole)],
  ...minilm.folds.map((weights, remainder): [FitName, Fit] => [
    `fold-${remainder}`,
    fitOf(shippedWords, weights, { every: folds, remainder }),
  ]),
]);

function fitOf(lexical: typeof shippedWords, hybrid: HybridWeights, heldOut?: FittedOn["heldOut"]): Fit {
  const ofHybrid = minilm.fittedOn.map((data) => ({ ...data, ...(heldOut ? { heldOut } : {}) }));
  return { lexical, hybrid: { [minilm.embedder.name]: hybrid }, fittedOn: [...lexical.fittedOn, ...ofHybrid] };
}

export const fitNames: readonly FitName[] = [...fits.keys()];

export function fitNamed(name: FitName): Fit {
  return fits.get(name)!;
}
