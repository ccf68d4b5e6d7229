import type { Base } from "../base/base.ts";
import type { TrainedAdapter } from "../training/train.ts";
import type { Adapter } from "./adapter.ts";

/** What a training made, layer by layer, as it is exported. */
export function adapterOf({ layout, parameters, baseDigest }: TrainedAdapter, { architecture }: Base): Adapter {
  const { r, alpha } = layout;
  const targets = layout.entries.map(({ name, out, in: inner, start }) => {
    const middle = start + r * inner;
    return { name, a: parameters.slice(start, middle), b: parameters.slice(middle, middle + out * r) };
  });
  return { r, alpha, targets, architecture, baseDigest };
}
