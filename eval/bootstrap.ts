import { seededRandom } from "../testkit/random.ts";
import { type Figures, figuresOf } from "./figures.ts";
import type { Outcome } from "./outcomes.ts";

const SEED = 1;
const RESAMPLES = 400;
const OUTSIDE = 0.025;

export type Intervals = Record<keyof Figures, [low: number, high: number] | null>;

/**
 * 95 % confidence intervals by the bootstrap over articles: questions of one article stand and fall together, so whole
 * articles are drawn, with replacement.
 */
export function intervalsOf(outcomes: readonly Outcome[]): Intervals {
  const articles = [...Map.groupBy(outcomes, ({ article }) => article).values()];
  const random = seededRandom(SEED);
  const draws = Array.from({ length: RESAMPLES }, () =>
    figuresOf(articles.flatMap(() => articles[Math.floor(random() * articles.length)]!)),
  );
  const names = Object.keys(figuresOf([])) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, middle(draws.map((figures) => figures[name]))])) as Intervals;
}

/** What lies between the outer shares of the drawn values; null where most draws gave none. */
function middle(drawn: readonly (number | null)[]): [number, number] | null {
  const values = drawn.filter((value) => value !== null).sort((a, b) => a - b);
  if (values.length === 0 || values.length < drawn.length / 2) return null;
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  return [at(OUTSIDE), at(1 - OUTSIDE)];
}
