import { createChatbot } from "../apps/caigun/src/commands/keys.ts";
import { readAnnouncement, readSecret } from "../apps/caigun/src/home/index.ts";
import {
  type ChatbotId,
  claimEvent,
  completeTraining,
  type Db,
  findFirstAccount,
  insertEvent,
  insertModel,
  insertTrainingData,
  inTransaction,
  listModels,
  modelDocuments,
  newId,
  openStore,
} from "../apps/caigun/src/store/index.ts";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { type Corpus, makeCorpus } from "./corpus.ts";
import { quantile, sendLoad } from "./load.ts";
import type { Bench, Figures } from "./main.ts";
import { proportionalSetSizes } from "./parts.ts";

const CHATBOTS = [1, 100, 10_000];
const TRAINED = 100;
const AT_ONCE = 4;
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
  const caigun = await startCaigun({ env: { CAIGUN_MAX_TEXT_BYTES: "200000000" } });
  try {
    const start = performance.now();
    await train(caigun, caigun.apiKey, corpus.text);
    const seconds = (performance.now() - start) / 1000;
    return {
      text_mb: corpus.text.length / 1e6,
      seconds_to_ready: seconds,
      ...(await talk(caigun, [caigun.apiKey], corpus)),
    };
  } finally {
    await caigun.remove();
  }
}

/**
 * Chatbots that each have a model. The first TRAINED are trained over the API, each on a text of its own; as training
 * 10,000 would take an hour, those after them are given the same rows, and refer to the index of one of the first.
 */
async function withChatbots(progress: (what: string) => void): Promise<Figures> {
  const caigun = await startCaigun({ env: { CAIGUN_TRAININGS: "2" } });
  const { databaseUrl } = (await readAnnouncement(caigun.home))!;
  const sealingKey = (await readSecret(caigun.home, "encryption-key"))!;
  const store = openStore(databaseUrl, { maxConnections: AT_ONCE, onError: () => {} });
  try {
    const account = (await findFirstAccount(store.db))!;
    const corpus = makeCorpus(20);
    const make = (number: number) => createChatbot({ store, sealingKey }, account.id, `Chatbot ${number}`);
    const made: { chatbotId: ChatbotId; apiKey: string }[] = [];
    const figures: Figures = {};
    for (const chatbots of CHATBOTS) {
      progress(`${chatbots} chatbots`);
      const earlier = made.length;
      const began = performance.now();
      await severalAtOnce(chatbots - earlier, async () => {
        const chatbot = await make(made.length);
        made.push(chatbot);
        const number = made.length;
        if (number <= TRAINED)
          await train(caigun, chatbot.apiKey, `${corpus.text}\n\nThis is chatbot number ${number}.`);
        else await copyModel(store.db, made[number % TRAINED]!.chatbotId, chatbot.chatbotId);
      });
      const seconds = (performance.now() - began) / 1000;
      const keys = made.map(({ apiKey }) => apiKey);
      figures[`chatbots_${chatbots}`] = {
        ...(chatbots <= TRAINED && { seconds_to_train_each: seconds / (chatbots - earlier) }),
        one_asked: await talk(caigun, keys.slice(-1), corpus),
        many_asked: await talk(caigun, everyNth(keys, RATE * SECONDS), corpus),
        pss_mb: Object.values(await proportionalSetSizes(caigun.process.pid!)).reduce((sum, size) => sum + size) / 1e6,
      };
    }
    return figures;
  } finally {
    await store.close();
    await caigun.remove();
  }
}

/** The rows that a training leaves, with the index of another chatbot's model. */
async function copyModel(db: Db, from: ChatbotId, to: ChatbotId): Promise<void> {
  const source = (await listModels(db, from))[0]!;
  const [document] = await modelDocuments(db, from, source.id);
  const [modelId, eventId, trainingDataId] = [newId(), newId(), newId()];
  await inTransaction(db, async (trx) => {
    await insertTrainingData(trx, to, { ...document!, id: trainingDataId, ownedByModelId: modelId });
    await insertModel(trx, to, { ...source, id: modelId, trainingDataIds: [trainingDataId] });
    const deadline = new Date(Date.now() + 600_000);
    await insertEvent(trx, to, { id: eventId, modelId, kind: "training", deadline });
    const { attempt } = (await claimEvent(trx, to, eventId))!;
    const { artifactDigest, artifactBytes, retrieval, evaluation } = source;
    await completeTraining(trx, to, eventId, attempt, {
      artifactDigest: artifactDigest!,
      artifactBytes: artifactBytes!,
      retrieval,
      evaluation: evaluation!,
    });
  });
}

async function severalAtOnce(count: number, work: () => Promise<void>): Promise<void> {
  let begun = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (begun++ < count) await work();
    }),
  );
}

/** At most so many, from the whole list. */
function everyNth<Item>(list: readonly Item[], most: number): Item[] {
  const step = Math.max(1, Math.ceil(list.length / most));
  return list.filter((_item, place) => place % step === 0);
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

async function talk(caigun: RunningCaigun, apiKeys: string[], { questions }: Corpus): Promise<Figures> {
  const bodies = questions.map(({ question }) => question);
  const load = { url: caigun.url, apiKeys, bodies, ratePerSecond: RATE, seconds: SECONDS };
  await sendLoad({ ...load, apiKeys: apiKeys.slice(0, 1), seconds: 2 });
  const { latencies, statuses } = await sendLoad(load);
  if (Object.keys(statuses).some((status) => status !== "200")) throw new Error(JSON.stringify(statuses));
  return { p50_ms: quantile(latencies, 0.5), p99_ms: quantile(latencies, 0.99) };
}
