import type { Architecture } from "./base.ts";
import { BaseRefused } from "./problems.ts";

/** The largest model that makes sense here is some 1B: larger numbers are nonsense or too much. */
const MOST: Readonly<Record<Count, number>> = {
  layers: 256,
  width: 16_384,
  heads: 512,
  keyValueHeads: 512,
  headWidth: 1_024,
  feedForwardWidth: 131_072,
  vocabulary: 1_000_000,
  contextLength: 16_777_216,
};

type Count = Exclude<keyof Architecture, "family" | "normEpsilon" | "ropeBase">;

/** Throws BaseRefused where the numbers that a file gives don't make a model. */
export function checkArchitecture(architecture: Architecture, path: string): Architecture {
  const refused = (what: string) =>
    new BaseRefused(
      `${path} describes a model ${what}: it is damaged, or made by something unusual. Name another base.`,
    );
  for (const [name, most] of Object.entries(MOST) as [Count, number][]) {
    const value = architecture[name];
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw refused(`whose ${name} is ${value}, no whole number from 1 to ${most}`);
  }
  const { family, width, heads, keyValueHeads, headWidth, normEpsilon, ropeBase } = architecture;
  if (!(normEpsilon > 0 && normEpsilon < 1)) throw refused(`whose normEpsilon is ${normEpsilon}`);
  if (heads % keyValueHeads !== 0)
    throw refused(`whose ${heads} heads can't share ${keyValueHeads} for keys and values`);
  if (family === "gpt2" && heads * headWidth !== width)
    throw refused(`whose ${heads} heads don't share its width of ${width}`);
  if (family === "llama" && headWidth % 2 !== 0) throw refused(`whose headWidth ${headWidth} is odd`);
  if (family === "llama" && !(ropeBase !== undefined && ropeBase > 1 && Number.isFinite(ropeBase)))
    throw refused(`whose ropeBase is ${ropeBase}`);
  return architecture;
}
