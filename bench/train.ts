import { startCaigun, trained } from "../testkit/caigun.ts";
import { makeCorpus } from "./corpus.ts";
import { median } from "./load.ts";
import type { Bench } from "./main.ts";

const BYTES = 1_000_000;

/** A text of 1 MB, from the request to `ready`, and each stage's share of that. */
export const train: Bench = async ({ runs, progress }) => {
  const caigun = await startCaigun({ env: { CAIGUN_LOG_LEVEL: "warn" } });
  try {
    const seconds: number[] = [];
    const stages: Record<string, number>[] = [];
    for (let run = 0; run <= runs; run++) {
      progress(run === 0 ? "warming up" : `run ${run} of ${runs}`);
      // Another text each time: nothing can be left over from the last.
      const text = makeCorpus(1_500, run + 1).text.slice(0, BYTES);
      const start = performance.now();
      const response = await caigun.call("/api/external/chatbot/train", {
        method: "POST",
        json: { title: "Places", text },
      });
      const model = await trained(caigun, (await response.json()) as { id: string; event_id: string });
      if (model.status !== "ready") throw new Error(JSON.stringify(model.failure));
      if (run === 0) continue;
      seconds.push((performance.now() - start) / 1000);
      stages.push((model.evaluation as { stage_seconds: Record<string, number> }).stage_seconds);
    }
    const stageSeconds = Object.fromEntries(
      Object.keys(stages[0]!).map((stage) => [stage, median(stages.map((found) => found[stage] ?? 0))]),
    );
    return { bytes: BYTES, seconds_to_ready: median(seconds), stage_seconds: stageSeconds };
  } finally {
    await caigun.remove();
  }
};
