import { setTimeout as delay } from "node:timers/promises";
import { startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply } from "../testkit/chatbot.ts";
import { untilLearned } from "../testkit/learning.ts";
import { weightsForTests } from "../testkit/weights.ts";
import { makeCorpus } from "./corpus.ts";
import { type LoadResult, median, quantile, sendLoad } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { processorSeconds, proportionalSetSizes } from "./parts.ts";

const PASSAGES = 1_000;
const P99_LIMIT_MS = 200;
const GOALS_PER_SECOND = { lexical: 300, hybrid: 60 };
/** How long a server has been asked nothing when its memory is measured. */
const IDLE_MS = 60_000;
/** Rates that are tried for a minute each: the search ends in bounded time. */
const SUSTAINED_TRIES = 5;
const SUSTAINED_SECONDS = 60;

/** Talk over HTTP: an open loop of distinct questions on 1,000 passages, the load generator on the same machine. */
export const talk: Bench = async ({ runs, hybrid, progress }) => {
  const corpus = makeCorpus(PASSAGES);
  const goal = GOALS_PER_SECOND[hybrid ? "hybrid" : "lexical"];
  const caigun = await startCaigun({ env: { ...(await withBase()), ...(hybrid ? await withEmbedder() : {}) } });
  try {
    const response = await caigun.call("/api/external/chatbot/train", {
      method: "POST",
      json: { title: "Places", text: corpus.text },
    });
    const model = await trained(caigun, (await response.json()) as { id: string; event_id: string });
    if (hybrid && model.retrieval !== "hybrid") throw new Error(`The model has no vectors: ${JSON.stringify(model)}`);
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

    progress("50 requests a second beside a training of gpt2");
    const chatbot = new Chatbot(caigun);
    const learning = await chatbot.train(corpus.text, { model_name: "gpt2" });
    await untilLearned(chatbot, learning, 1);
    const besideLearning: LoadResult[] = [];
    for (let run = 0; run < runs; run++) besideLearning.push(await load(50, 20));
    const learned = await chatbot.get<ModelReply>(`models/${learning.id}`);
    if (learned.stage !== "learn") throw new Error(`The training ended before the load did: ${learned.status}.`);
    await chatbot.get(`models/${learning.id}/cancel`, { method: "POST" });

    progress(`${goal} a second for ${SUSTAINED_SECONDS} s`);
    const before = await processorSeconds(caigun.process.pid!);
    const atGoal = await load(goal, SUSTAINED_SECONDS);
    const after = await processorSeconds(caigun.process.pid!);
    const perRequestMs = (part: string) => ((after[part]! - (before[part] ?? 0)) * 1000) / (goal * SUSTAINED_SECONDS);

    let pss_mb_after_60_s_idle: number | undefined;
    if (hybrid) {
      progress("waiting to measure the memory of an idle server");
      await delay(IDLE_MS);
      const sizes = Object.values(await proportionalSetSizes(caigun.process.pid!));
      pss_mb_after_60_s_idle = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
    }

    // Short loads find roughly where it ends, then a minute has to be sustained.
    let rate = goal / 3;
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
      at_50_beside_a_training_of_gpt2: {
        p50_ms: median(besideLearning.map(({ latencies }) => quantile(latencies, 0.5))),
        p99_ms: median(besideLearning.map(({ latencies }) => quantile(latencies, 0.99))),
        failed: besideLearning.reduce((sum, { statuses }) => sum + others(statuses), 0),
      },
      [`at_${goal}_for_${SUSTAINED_SECONDS}_s`]: {
        ...summary(atGoal),
        processor_ms_per_request: Object.fromEntries(Object.keys(after).map((part) => [part, perRequestMs(part)])),
      },
      ...(pss_mb_after_60_s_idle && { pss_mb_after_60_s_idle }),
      sustained_per_second: sustained?.rate ?? 0,
      ...(sustained && { sustained: summary(sustained.result) }),
    };
  } finally {
    await caigun.remove();
  }
};

/** What gpt2 is trained on: weights of the size that people train. */
async function withBase(): Promise<Record<string, string>> {
  const weights = await weightsForTests("smollm2-135m-instruct-q4_1");
  if ("missing" in weights) throw new Error(weights.missing);
  return { CAIGUN_GPT2_BASE: weights.files["model.gguf"]!.path };
}

async function withEmbedder(): Promise<Record<string, string>> {
  const weights = await weightsForTests();
  if ("missing" in weights) throw new Error(weights.missing);
  return { CAIGUN_EMBEDDER: "all-minilm-l6-v2-int8", CAIGUN_WEIGHTS: weights.folder };
}

const summary = ({ latencies, statuses }: LoadResult): Figures => ({
  p50_ms: quantile(latencies, 0.5),
  p99_ms: quantile(latencies, 0.99),
  failed: others(statuses),
});

const others = (statuses: Record<string, number>) =>
  Object.entries(statuses).reduce((sum, [status, count]) => sum + (status === "200" ? 0 : count), 0);
