import { Problem } from "@caigun/contract";
import type { Writer } from "../engines/writers/writer.ts";
import type { CurrentModel, Settings } from "../store/index.ts";
import type { House } from "./house.ts";
import { effectiveWriter } from "./settings.ts";

/** What words a chatbot's replies: its model's own weights where it has any. Undefined: they are quotes. Throws `unavailable` where none may stand in for the one that was chosen. */
export async function writerOf(
  house: House,
  settings: Settings,
  { adapterDigest, baseDigest }: CurrentModel,
): Promise<Writer | undefined> {
  if (adapterDigest !== null && baseDigest !== null && settings.writer !== "none")
    return house.adapterWriters.writerFor({ path: () => house.blobs.file(adapterDigest), baseDigest });
  const name = effectiveWriter(house, settings);
  if (name !== "none") return house.writers.get(name);
  const { writer: chosen } = settings;
  if (house.strictEngines && chosen && chosen !== "none" && !house.configuredWriters.has(chosen))
    throw writerNotReached(chosen);
  return undefined;
}

export function writerNotReached(name: string, cause?: unknown): Problem {
  const detail = `The engine "${name}", which writes this chatbot's replies, can't be reached. Try again, or choose another writer.`;
  return new Problem("unavailable", detail, { retryAfterSeconds: 5, cause });
}
