import type { WriterName } from "@caigun/contract";
import type { AnnouncedWriter } from "../home/index.ts";

export type Wording = {
  /** As it was chosen; null: the server's default. */
  chosen: WriterName | null;
  /** What writes the replies of a model without weights of its own. */
  effective: WriterName;
  stayLocal: boolean;
  /** Whether the model that answers has an adapter of its own. */
  hasAdapter: boolean;
  /** Those that the server has been told how to reach. */
  configured: readonly Pick<AnnouncedWriter, "name">[];
};

/** What words a chatbot's replies now, and where that is not what was chosen, why. */
export function wordedBy({ chosen, effective, stayLocal, hasAdapter, configured }: Wording): string {
  if (chosen === "none") return "none, as was chosen: replies are quotes";
  if (hasAdapter) return `its own weights (gpt2), on this machine${chosen ? `: they come before ${chosen}` : ""}`;
  if (effective !== "none") {
    const reach = effective === "gguf" ? "on this machine" : "which questions and passages are sent to";
    return `${effective}, ${reach}${chosen === null ? "; the server's default" : ""}`;
  }
  const wanted = chosen ?? "google";
  if (!configured.some(({ name }) => name === wanted))
    return chosen === null
      ? "none: nothing was chosen, and the server has no default; replies are quotes"
      : `none: ${chosen} was chosen, and the server has not been told how to reach it; replies are quotes`;
  return stayLocal
    ? `none: ${wanted} stays overruled while "stay local" is yes; replies are quotes`
    : "none: replies are quotes";
}
