import { findWeights } from "@caigun/weights";
import { embedderOf } from "../assembly/foundation.ts";
import type { Config } from "../config.ts";

/** How passages are searched here, as people are told; `todo` where something is missing. */
export type EmbedderFinding = { isThere: boolean; found: string; todo?: string };

/** Throws BadSetting where the setting names no embedding model. */
export function embedderFinding(config: Config): EmbedderFinding {
  const embedder = embedderOf(config);
  if (embedder === undefined) return { isThere: false, found: "by words alone (CAIGUN_EMBEDDER is none)" };
  if (findWeights(config.weightsFolder, embedder)) return { isThere: true, found: `by words, and with ${embedder}` };
  return {
    isThere: false,
    found: `by words alone until ${embedder} is there, which a training fetches`,
    todo: `\`npx caigun pull ${embedder}\` fetches it now; docs/embedding.md tells how to bring it without a network.`,
  };
}
