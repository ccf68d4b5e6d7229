import { disciplined, type WritingLimits } from "./discipline.ts";
import { type GgufOptions, ggufWriter } from "./gguf.ts";
import { type GoogleOptions, googleWriter } from "./google.ts";
import { type OpenAiOptions, openAiWriter } from "./openai.ts";
import type { Writer } from "./writer.ts";

export type WritersConfig = { google?: GoogleOptions; openai?: OpenAiOptions; gguf?: GgufOptions };

const MOST_CHARACTERS = 4_000;
const REMOTE: WritingLimits = {
  concurrency: 32,
  waiting: 64,
  firstPieceMs: 8_000,
  betweenPiecesMs: 4_000,
  totalMs: 20_000,
  mostCharacters: MOST_CHARACTERS,
};
/** One model in memory, one reply at a time; the first has to load it. */
export const LOCAL: WritingLimits = {
  concurrency: 1,
  waiting: 8,
  firstPieceMs: 90_000,
  betweenPiecesMs: 15_000,
  totalMs: 150_000,
  mostCharacters: MOST_CHARACTERS,
};

/** The writers that this server has been told how to reach, by their names. */
export type Writers = ReadonlyMap<string, Writer>;

export function openWriters({ google, openai, gguf }: WritersConfig): Writers {
  const writers = [
    google && disciplined(googleWriter(google), REMOTE),
    openai && disciplined(openAiWriter(openai), REMOTE),
    gguf && disciplined(ggufWriter(gguf), LOCAL),
  ].filter((writer) => writer !== undefined);
  return new Map(writers.map((writer) => [writer.name, writer]));
}

export async function closeWriters(writers: Writers): Promise<void> {
  await Promise.all([...writers.values()].map((writer) => writer.close()));
}
