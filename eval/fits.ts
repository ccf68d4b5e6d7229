import { type FittedOn, fitNamed, fitNames } from "@caigun/reading";

/** Learned weights by name; "shipped" is what people get. */
export interface Fit {
  name: string;
  fittedOn: readonly FittedOn[];
}

/** What is asked with one fit: the questions of the articles that it has not seen. */
export interface FitRun {
  fit: Fit;
  asks: (article: number) => boolean;
}

/** Every fit saw the file, and the folds that leave some of it out don't cover all of it. */
export class NoFit extends Error {
  override name = "NoFit";
}

const known: Fit[] = fitNames.map((name) => ({ name, fittedOn: fitNamed(name).fittedOn }));

/**
 * With which weights a file is evaluated: the shipped ones, unless they saw it; then another fit that did not; then
 * folds, each asked only about the articles that it did not see. Throws NoFit.
 */
export function chooseFits(sha256: string, fits: readonly Fit[] = known): FitRun[] {
  const sight = (fit: Fit) => fit.fittedOn.find((data) => data.sha256 === sha256);
  const blind = fits.find((fit) => !sight(fit));
  if (blind) return [{ fit: blind, asks: () => true }];
  for (const { every } of fits.flatMap((fit) => sight(fit)?.heldOut ?? [])) {
    const folds = Array.from({ length: every }, (_, remainder) => {
      const fit = fits.find((fit) => {
        const held = sight(fit)?.heldOut;
        return held?.every === every && held.remainder === remainder;
      });
      return fit && { fit, asks: (article: number) => article % every === remainder };
    });
    if (folds.every((fold) => fold !== undefined)) return folds;
  }
  throw new NoFit(
    "All weights were fitted on this file: fit others on other data (eval/fit-reading.ts) to evaluate on it.",
  );
}

/** "shipped", the name of another fit, or the names of the folds. */
export function namesOf(runs: readonly FitRun[]): string {
  return runs.map(({ fit }) => fit.name).join(", ");
}
