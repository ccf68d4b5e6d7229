import { lookAtBase } from "../assembly/foundation.ts";
import type { Config } from "../config.ts";
import type { Announcement } from "../home/index.ts";

/** What `gpt2` would be trained on here, as people are told; `todo` where something is missing. */
export type BaseFinding = {
  /** Of the base that is on this machine; null: none is, and a training would have to fetch one. */
  base: string | null;
  found: string;
  todo?: string;
};

/**
 * What a training of `gpt2` would be given: of the running server, where one runs, whatever this shell's own settings
 * are. Throws BadSetting where the setting names none of CaiGun's bases.
 */
export async function baseFinding(here: Config, running: Announcement["weights"] | undefined): Promise<BaseFinding> {
  const config = withWeights(here, running);
  const { first, base, refusal } = await lookAtBase(config);
  if (refusal !== undefined) return { base: null, found: refusal, todo: "Set CAIGUN_GPT2_BASE to another model." };
  const elsewhere = config.weightsFolder === here.weightsFolder ? "" : `CAIGUN_WEIGHTS=${config.weightsFolder} `;
  const pull = `\`${elsewhere}npx caigun pull ${first}\` fetches it now; docs/base-models.md tells how to bring it without a network.`;
  if (base === undefined)
    return { base: null, found: `gpt2 is trained on ${called(first)}, which a training fetches first`, todo: pull };
  if (base.because !== undefined)
    return {
      base: base.name,
      found: `gpt2 is trained on ${base.name}, unless a training can fetch ${called(first)}, which this machine lacks`,
      todo: pull,
    };
  const path = config.gpt2Base && "path" in config.gpt2Base ? ` (${config.gpt2Base.path})` : "";
  return { base: base.name, found: `gpt2 is trained on ${called(base.name)}${path}, which is on this machine` };
}

/** The contract's name for the training is also that of the first base, which nobody could tell apart here. */
const called = (base: string) => (base === "gpt2" ? "GPT-2's own weights" : base);

/** These settings, with those of the running server for the models that it trains and searches with. */
export function withWeights(config: Config, running: Announcement["weights"] | undefined): Config {
  return running ? { ...config, ...running, gpt2Base: running.gpt2Base ?? undefined } : config;
}
