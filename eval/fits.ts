import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** A file of learned weights, by its name without ending; "shipped" is what people get. */
export interface Fit {
  name: string;
  fittedOn: FittedOn[];
}

export interface FittedOn {
  name: string;
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string;
  /** Where the fit did not see every article: those whose number leaves this remainder were held out. */
  heldOut?: { every: number; remainder: number };
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

const FOLDER = new URL("../packages/reading/weights/", import.meta.url);
const SHIPPED = "shipped";

/** The shipped fit first. */
export function readFits(folder: URL = FOLDER): Fit[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((file) => {
      const { fittedOn } = JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Pick<Fit, "fittedOn">;
      return { name: basename(file, ".json"), fittedOn };
    })
    .sort((a, b) => Number(b.name === SHIPPED) - Number(a.name === SHIPPED) || (a.name < b.name ? -1 : 1));
}

/**
 * With which weights a file is evaluated: the shipped ones, unless they saw it; then another fit that did not; then
 * folds, each asked only about the articles that it did not see. Throws NoFit.
 */
export function chooseFits(sha256: string, fits: readonly Fit[] = readFits()): FitRun[] {
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
