import other from "./weights/other.json" with { type: "json" };
import shipped from "./weights/shipped.json" with { type: "json" };

/** The learned weights by the data that they were fitted on; "shipped" is what people get, the others serve to evaluate on data that it saw. */
const fits = { shipped, other };

export type FitName = keyof typeof fits;
export const fitNames = Object.keys(fits) as FitName[];

export function fitNamed(name: FitName) {
  return fits[name];
}
