import { createChatbot } from "../apps/caigun/src/commands/keys.ts";
import { readAnnouncement, readSecret } from "../apps/caigun/src/home/index.ts";
import { findFirstAccount, openStore } from "../apps/caigun/src/store/index.ts";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { makeCorpus } from "./corpus.ts";
import { quantile, sendLoad } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { proportionalSetSizes } from "./memory.ts";

const CHATBOTS = [1, 100, 10_000];
const PASSAGES = [1_000, 10_000, 100_000];
/** Slow enough that no question waits for another: the cost of one is what is looked for. */
const RATE = 20;
const SECONDS = 10;

/** What talk and training cost as chatbots and passages grow. */
export const growth: Bench = async ({ progress }) => {
  const byPassages: Figures = {};
  for (const passages of PASSAGES) {
    progress(`${passages} passages`);
    byPassages[`passages_${passages}`] = await withPassages(passages);
  }
  return { ...byPassages, ...(await withChatbots(progress)) };
};

async function withPassages(passages: number): Promise<Figures> {
  const corpus = makeCorpus(passages);
  const caigun = await startCaigun({ env: { CAIGUN_LOG_LEVEL: "warn", CAIGUN_MAX_TEXT_BYTES: "200000000" } });
  try {
    const start = performance.now();
    await train(caigun, caigun.apiKey, corpus.text);
    const seconds = (performance.now() - start) / 1000;
    return {
      text_mb: corpus.text.length / 1e6,
      seconds_to_ready: seconds,
      ...(await talk(caigun, caigun.apiKey, corpus)),
    };
  } finally {
    await caigun.remove();
  }
}

/** Each chatbot has a model of its own, so each has an index of its own that can be asked. */
async function withChatbots(progress: (what: string) => void): Promise<Figures> {
  const caigun = await startCaigun({ env: { CAIGUN_LOG_LEVEL: "warn" } });
  try {
    const { databaseUrl } = (await readAnnouncement(caigun.home))!;
    const sealingKey = (await readSecret(caigun.home, "encryption-key"))!;
    const store = openStore(databaseUrl, { maxConnections: 2, onError: () => {} });
    const account = (await findFirstAccount(store.db))!;
    const corpus = makeCorpus(20);
    const figures: Figures = {};
    let made = 0;
    let apiKey = caigun.apiKey;
    for (const chatbots of CHATBOTS) {
      const start = performance.now();
      for (; made < chatbots; made++) {
        if (made % 500 === 0) progress(`${made} of ${chatbots} chatbots`);
        ({ apiKey } = await createChatbot({ store, sealingKey }, account.id, `Chatbot ${made}`));
        await train(caigun, apiKey, `${corpus.text}\n\nThis is the text of chatbot number ${made}.`);
      }
      figures[`chatbots_${chatbots}`] = {
        seconds_to_make: (performance.now() - start) / 1000,
        ...(await talk(caigun, apiKey, corpus)),
        pss_mb:
          Object.values(await proportionalSetSizes(caigun.process.pid!)).reduce((sum, size) => sum + size, 0) / 1e6,
      };
    }
    await store.close();
    return figures;
  } finally {
    await caigun.remove();
  }
}

async function train(caigun: RunningCaigun, apiKey: string, text: string): Promise<void> {
  const response = await caigun.call("/api/external/chatbot/train", {
    method: "POST",
    apiKey,
    json: { title: "Places", text },
  });
  const model = await trained(caigun, (await response.json()) as { id: string; event_id: string }, apiKey);
  if (model.status !== "ready") throw new Error(JSON.stringify(model));
}

async function talk(
  caigun: RunningCaigun,
  apiKey: string,
  { questions }: { questions: { question: string }[] },
): Promise<Figures> {
  const bodies = questions.map(({ question }) => question);
  const load = { url: caigun.url, apiKey, bodies, ratePerSecond: RATE, seconds: SECONDS };
  await sendLoad({ ...load, seconds: 2 });
  const { latencies, statuses } = await sendLoad(load);
  if (Object.keys(statuses).some((status) => status !== "200")) throw new Error(JSON.stringify(statuses));
  return { p50_ms: quantile(latencies, 0.5), p99_ms: quantile(latencies, 0.99) };
}
