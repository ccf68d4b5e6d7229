import { type Input, Problem, type Reply, type WriterName } from "@caigun/contract";
import { changeSettings as changeStoredSettings, type Settings } from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

export async function getSettings(house: House, { settings }: Caller): Promise<Reply<"getSettings">> {
  return asReply(house, settings);
}

/** Holds from the next question on, on every server. Throws `writer_not_configured`. */
export async function changeSettings(
  house: House,
  { chatbotId, keyId }: Caller,
  { strictness, quality, refusal, stay_local, writer }: Input<"changeSettings">,
): Promise<Reply<"changeSettings">> {
  if (writer && writer !== "none" && !house.configuredWriters.has(writer))
    throw new Problem("writer_not_configured", howToConfigure[writer]);
  const changes = { strictness, quality, refusal, stayLocal: stay_local, writer };
  const settings = await changeStoredSettings(house.store.db, chatbotId, changes);
  if (!settings) throw new Error(`The chatbot of key ${keyId} was deleted while its settings were changed.`);
  return asReply(house, settings);
}

const howToConfigure: Record<Exclude<WriterName, "none">, string> = {
  google:
    "This server has no key for Google's Gemini API. Set CAIGUN_GOOGLE_API_KEY where it runs and start it again, or choose another writer.",
  openai:
    "This server has no address of an OpenAI-compatible endpoint. Set CAIGUN_OPENAI_BASE_URL and CAIGUN_OPENAI_MODEL where it runs and start it again, or choose another writer.",
  gguf: "This server has no language model of its own. Set CAIGUN_GGUF to the path of a GGUF file where it runs and start it again, or choose another writer.",
};

/**
 * What writes the chatbot's replies: the one chosen, by default Google where this server has a key for it; but none that
 * this server can't reach, and none elsewhere where the chatbot is set to stay on the machine.
 */
export function effectiveWriter(
  { configuredWriters }: Pick<House, "configuredWriters">,
  { writer, stayLocal }: Pick<Settings, "writer" | "stayLocal">,
): WriterName {
  const chosen = writer ?? "google";
  if (chosen === "none" || !configuredWriters.has(chosen)) return "none";
  return stayLocal && chosen !== "gguf" ? "none" : chosen;
}

function asReply(house: House, settings: Settings): Reply<"getSettings"> {
  const { strictness, quality, refusal, stayLocal } = settings;
  return { strictness, quality, refusal, stay_local: stayLocal, writer: effectiveWriter(house, settings) };
}
