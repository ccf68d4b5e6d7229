import { startCaigun, trained } from "../testkit/caigun.ts";
import { makeCorpus } from "./corpus.ts";
import { type LoadResult, median, quantile, sendLoad } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { processorSeconds } from "./parts.ts";

const PASSAGES = 1_000;
const P99_LIMIT_MS = 200;
const GOAL_PER_SECOND = 300;
/** Rates that are tried for a minute each: the search ends in bounded time. */
const SUSTAINED_TRIES = 5;
const SUSTAINED_SECONDS = 60;

/** Talk over HTTP: an open loop of distinct questions on 1,000 passages, the load generator on the same machine. */
export const talk: Bench = async ({ runs, progress }) => {
  const corpus = makeCorpus(PASSAGES);
  const caigun = await startCaigun();
  try {
    const response = await caigun.call("/api/external/chatbot/train", {
      method: "POST",
      json: { title: "Places", text: corpus.text },
    });
    await trained(caigun, (await response.json()) as { id: string; event_id: string });
    const bodies = corpus.questions.map(({ question }) => question);
    const load = (ratePerSecond: number, seconds: number) =>
      sendLoad({ url: caigun.url, apiKeys: [caigun.apiKey], bodies, ratePerSecond, seconds });
    const sustains = ({ latencies, statuses }: LoadResult) =>
      Object.keys(statuses).every((status) => status === "200") && quantile(latencies, 0.99) < P99_LIMIT_MS;
    await load(50, 5); // warms up what a server that has run for a while has warm

    const at50: LoadResult[] = [];
    for (let run = 0; run < runs; run++) {
      progress(`50 requests a second, run ${run + 1} of ${runs}`);
      at50.push(await load(50, 20));
    }

    progress(`${GOAL_PER_SECOND} a second for ${SUSTAINED_SECONDS} s`);
    const before = await processorSeconds(caigun.process.pid!);
    const atGoal = await load(GOAL_PER_SECOND, SUSTAINED_SECONDS);
    const after = await processorSeconds(caigun.process.pid!);
    const perRequestMs = (part: string) =>
      ((after[part]! - (before[part] ?? 0)) * 1000) / (GOAL_PER_SECOND * SUSTAINED_SECONDS);

    // Short loads find roughly where it ends, then a minute has to be sustained.
    let rate = 100;
    for (let next = rate; next < 2_000 && sustains(await load(next, 8)); next = Math.round(next * 1.25)) {
      progress(`${next} a second held for a moment`);
      rate = next;
    }
    let failedAt: number | undefined;
    let sustained: { rate: number; result: LoadResult } | undefined;
    for (let tries = 0; tries < SUSTAINED_TRIES; tries++) {
      progress(`${rate} a second for ${SUSTAINED_SECONDS} s`);
      const result = await load(rate, SUSTAINED_SECONDS);
      const held = sustains(result);
      if (held) sustained = { rate, result };
      // What held after a rate that did not is the answer; what held at once may not be the highest.
      if (held && failedAt !== undefined) break;
      if (!held) failedAt = rate;
      if (!held && sustained) break;
      rate = Math.round(rate * (held ? 1.08 : 0.9));
    }
    return {
      passages: PASSAGES,
      p50_ms_at_50: median(at50.map(({ latencies }) => quantile(latencies, 0.5))),
      p99_ms_at_50: median(at50.map(({ latencies }) => quantile(latencies, 0.99))),
      failed_at_50: at50.reduce((sum, { statuses }) => sum + others(statuses), 0),
      [`at_${GOAL_PER_SECOND}_for_${SUSTAINED_SECONDS}_s`]: {
        ...summary(atGoal),
        processor_ms_per_request: Object.fromEntries(Object.keys(after).map((part) => [part, perRequestMs(part)])),
      },
      sustained_per_second: sustained?.rate ?? 0,
      ...(sustained && { sustained: summary(sustained.result) }),
    };
  } finally {
    await caigun.remove();
  }
};

const summary = ({ latencies, statuses }: LoadResult): Figures => ({
  p50_ms: quantile(latencies, 0.5),
  p99_ms: quantile(latencies, 0.99),
  failed: others(statuses),
});

const others = (statuses: Record<string, number>) =>
  Object.entries(statuses).reduce((sum, [status, count]) => sum + (status === "200" ? 0 : count), 0);
