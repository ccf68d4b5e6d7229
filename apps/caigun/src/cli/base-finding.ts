import { lookAtBase } from "../assembly/foundation.ts";
import type { Config } from "../config.ts";

/** What `gpt2` would be trained on here, as people are told; `todo` where something is missing. */
export type BaseFinding = {
  /** Of the base that is on this machine; null: none is, and a training would have to fetch one. */
  base: string | null;
  found: string;
  todo?: string;
};

/** Throws BadSetting where the setting names none of CaiGun's bases. */
export async function baseFinding(config: Config): Promise<BaseFinding> {
  const { first, base, refusal } = await lookAtBase(config);
  if (refusal !== undefined) return { base: null, found: refusal, todo: "Set CAIGUN_GPT2_BASE to another model." };
  const pull = `\`npx caigun pull ${first}\` fetches it now; docs/base-models.md tells how to bring it without a network.`;
  if (base === undefined)
    return { base: null, found: `gpt2 is trained on ${first}, which a training fetches first`, todo: pull };
  if (base.because !== undefined)
    return {
      base: base.name,
      found: `gpt2 is trained on ${base.name}, unless a training can fetch ${first}, which is not on this machine`,
      todo: pull,
    };
  const path = config.gpt2Base && "path" in config.gpt2Base ? ` (${config.gpt2Base.path})` : "";
  return { base: base.name, found: `gpt2 is trained on ${base.name}${path}, which is on this machine` };
}
