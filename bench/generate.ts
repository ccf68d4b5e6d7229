import { fork } from "node:child_process";
import { once } from "node:events";
import { link, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportGgufAdapter, openBase } from "@caigun/lora";
import { randomAdapter } from "../testkit/lora-adapters.ts";
import { weightsForTests } from "../testkit/weights.ts";
import { median, quantile } from "./load.ts";
import type { Bench, Figures } from "./main.ts";

/** How many chatbots take turns, each with an adapter of its own. */
const CHATBOTS = [1, 8, 64, 1_000];
/** Replies by them, each to another chatbot as long as there are others; of more chatbots no more are asked. */
const REPLIES = 24;
const MOST_ASKED = 250;
/** Pieces of each reply that are waited for; of the largest number of chatbots' only the first. */
const PIECES = 24;

export type GenerateRequest = {
  base: string;
  adapters: string[];
  replies: number;
  /** A reply is stopped after so many. */
  pieces: number;
};
export type GenerateResult = {
  /** Of each reply, ms: until the adapter was ready to write, from then to the first token, and for each later token. */
  change_ms: number[];
  first_token_ms: number[];
  token_ms: number[];
  /** The highest proportional set size of the process after a reply, bytes. */
  peak_bytes: number;
};

/** Replies by adapters that take turns on one base, as the product's own writing process makes them. */
export const generate: Bench = async ({ runs, progress }) => {
  const weights = await weightsForTests("smollm2-135m-instruct-q4_1");
  if ("missing" in weights) throw new Error(weights.missing);
  const { path } = weights.files["model.gguf"]!;
  const folder = await mkdtemp(join(tmpdir(), "caigun-generate-"));
  try {
    const base = await openBase(path);
    const adapter = join(folder, "adapter.gguf");
    await exportGgufAdapter(randomAdapter(base, { r: 16, alpha: 32, seed: 1 }), adapter);
    base.close();
    // Many names for one file: each is loaded for itself.
    const adapters = Array.from({ length: Math.max(...CHATBOTS) }, (_, at) => join(folder, `${at}.gguf`));
    for (const name of adapters) await link(adapter, name);
    const figures: Record<string, Figures> = {};
    for (const chatbots of CHATBOTS) {
      const results: GenerateResult[] = [];
      for (let run = 1; run <= (chatbots === 1_000 ? 1 : runs); run++) {
        progress(`${chatbots} chatbots, run ${run}`);
        const replies = Math.min(Math.max(REPLIES, chatbots), MOST_ASKED);
        const pieces = chatbots === 1_000 ? 1 : PIECES;
        results.push(await inItsOwnProcess({ base: path, adapters: adapters.slice(0, chatbots), replies, pieces }));
      }
      const medianOf = (key: "change_ms" | "first_token_ms" | "token_ms") =>
        median(results.flatMap((result) => result[key]));
      figures[`chatbots_${chatbots}`] = {
        change_ms: medianOf("change_ms"),
        // After some changes the base is opened anew.
        change_p99_ms: quantile(
          results.flatMap((result) => result.change_ms).sort((one, other) => one - other),
          0.99,
        ),
        first_token_ms: medianOf("first_token_ms"),
        ...(chatbots < 1_000 && { tokens_per_second: 1_000 / medianOf("token_ms") }),
        peak_memory_mb: median(results.map((result) => result.peak_bytes)) / 1e6,
      };
    }
    return figures;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function inItsOwnProcess(request: GenerateRequest): Promise<GenerateResult> {
  const child = fork(fileURLToPath(new URL("./generate-process.ts", import.meta.url)));
  child.send(request);
  const [result] = (await once(child, "message")) as [GenerateResult];
  child.kill();
  await once(child, "exit");
  return result;
}
