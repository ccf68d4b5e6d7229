import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { makeHome, type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { makeCorpus } from "./corpus.ts";
import { median } from "./load.ts";
import type { Bench } from "./main.ts";
import { proportionalSetSizes } from "./parts.ts";

const TEXT_BYTES = 10_000;
const SETTLED_AFTER_MS = 60_000;

/**
 * From `npm start` to the first answered talk: on a new home with the training of a text of 10 KB, and on
 * the same home again; and the memory of all processes a minute after that.
 */
export const start: Bench = async ({ runs, progress }) => {
  const { text, questions } = makeCorpus(20);
  const first: number[] = [];
  const second: number[] = [];
  const memory: Record<string, number>[] = [];
  for (let run = 1; run <= runs; run++) {
    progress(`run ${run} of ${runs}`);
    const home = await makeHome();
    let caigun: RunningCaigun | undefined;
    try {
      let began = performance.now();
      caigun = await startCaigun({ home, command: ["npm", "start"] });
      const { apiKey } = caigun;
      const response = await caigun.call("/api/external/chatbot/train", {
        method: "POST",
        json: { title: "Places", text: text.slice(0, TEXT_BYTES) },
      });
      await trained(caigun, (await response.json()) as { id: string; event_id: string });
      await ask(caigun, apiKey, questions[0]!.question);
      first.push((performance.now() - began) / 1000);
      await caigun.stop();

      began = performance.now();
      caigun = await startCaigun({ home, command: ["npm", "start"] });
      await ask(caigun, apiKey, questions[1]!.question);
      second.push((performance.now() - began) / 1000);
      // Not to be right but to measure: what a process needs for its start is given back by then.
      await delay(SETTLED_AFTER_MS);
      memory.push(await proportionalSetSizes(caigun.process.pid!));
    } finally {
      await caigun?.stop();
      await rm(home, { recursive: true, force: true });
    }
  }
  const medianMb = (of: (sizes: Record<string, number>) => number) => median(memory.map(of)) / 1e6;
  return {
    first_start_seconds: median(first),
    second_start_seconds: median(second),
    pss_mb_after_60_s: medianMb((sizes) => Object.values(sizes).reduce((sum, size) => sum + size, 0)),
    pss_mb_by_process: Object.fromEntries(
      Object.keys(memory[0]!).map((name) => [name, medianMb((sizes) => sizes[name] ?? 0)]),
    ),
  };
};

async function ask(caigun: RunningCaigun, apiKey: string, text: string): Promise<void> {
  const response = await caigun.call("/api/external/chatbot/conversation", {
    method: "POST",
    apiKey,
    headers: { uid: "bench" },
    json: { text },
  });
  if (response.status !== 200) throw new Error(await response.text());
}
