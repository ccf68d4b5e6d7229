import { startCaigun, trained } from "../testkit/caigun.ts";
import { makeCorpus } from "./corpus.ts";
import { type LoadResult, median, quantile, sendLoad } from "./load.ts";
import type { Bench } from "./main.ts";

const PASSAGES = 1_000;
const P99_LIMIT_MS = 200;
const SUSTAINED_SECONDS = 60;

/** Talk over HTTP: an open loop of distinct questions on 1,000 passages, the load generator on the same machine. */
export const talk: Bench = async ({ runs, progress }) => {
  const corpus = makeCorpus(PASSAGES);
  const caigun = await startCaigun({ env: { CAIGUN_LOG_LEVEL: "warn" } });
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

    // Short loads find roughly where it ends, then a minute has to be sustained.
    let rate = 100;
    while (rate < 2_000 && sustains(await load(rate, 8))) {
      progress(`${rate} a second held for a moment`);
      rate = Math.round(rate * 1.25);
    }
    for (; rate > 10; rate = Math.floor(rate * 0.93)) {
      progress(`${rate} a second for ${SUSTAINED_SECONDS} s`);
      const result = await load(rate, SUSTAINED_SECONDS);
      if (sustains(result)) break;
    }
    return {
      passages: PASSAGES,
      p50_ms_at_50: median(at50.map(({ latencies }) => quantile(latencies, 0.5))),
      p99_ms_at_50: median(at50.map(({ latencies }) => quantile(latencies, 0.99))),
      failed_at_50: at50.reduce((sum, { statuses }) => sum + others(statuses), 0),
      sustained_per_second: rate,
    };
  } finally {
    await caigun.remove();
  }
};

const others = (statuses: Record<string, number>) =>
  Object.entries(statuses).reduce((sum, [status, count]) => sum + (status === "200" ? 0 : count), 0);
