import { randomBytes } from "node:crypto";
import * as store from "../apps/caigun/src/store/index.ts";

const DEADLINE_MS = 60_000;

export function newAccount({ db }: store.Store): Promise<store.Account> {
  return store.createAccount(db, { name: "somebody" });
}

/** A chatbot of an account of its own. */
export async function newChatbot(s: store.Store) {
  const account = await newAccount(s);
  return { account, chatbot: await store.createChatbot(s.db, account.id, { title: "a chatbot" }) };
}

/** A model as a training that was just accepted leaves it, with training data of its own. */
export async function newQueuedModel({ db }: store.Store, chatbotId: store.ChatbotId, deadline?: Date) {
  const [modelId, trainingDataId, eventId] = [store.newId(), store.newId(), store.newId()];
  const text = { type: "text", title: "title", blobDigest: store.newId(), textSha256: "00" } as const;
  const data = { ...text, id: trainingDataId, codePoints: 3, bytes: 3, ownedByModelId: modelId };
  const engine = { modelName: "PaLM2", engine: "local-reader", base: null, retrieval: "lexical" };
  const model = { ...engine, id: modelId, title: "title", trainingDataType: "text" as const };
  const event = { id: eventId, modelId, kind: "training" as const };
  await store.inTransaction(db, async (trx) => {
    await store.insertTrainingData(trx, chatbotId, data);
    await store.insertModel(trx, chatbotId, { ...model, trainingDataIds: [trainingDataId] });
    await store.insertEvent(trx, chatbotId, { ...event, deadline: deadline ?? new Date(Date.now() + DEADLINE_MS) });
  });
  return { modelId, trainingDataId, eventId };
}

/** A model whose training has completed. */
export async function newReadyModel(s: store.Store, chatbotId: store.ChatbotId) {
  const model = await newQueuedModel(s, chatbotId);
  const { attempt } = (await store.claimEvent(s.db, chatbotId, model.eventId))!;
  const result = { artifactDigest: store.newId(), artifactBytes: 100, retrieval: "lexical", evaluation: {} };
  if (!(await store.completeTraining(s.db, chatbotId, model.eventId, attempt, result))) {
    throw new Error("The training that was just claimed could not be completed.");
  }
  return model;
}

/** A live key; returns its id. */
export async function newKey(db: store.Db, chatbotId: store.ChatbotId, digest = randomBytes(32)): Promise<string> {
  const id = store.newId();
  await store.insertKey(db, chatbotId, { id, name: "name", hint: "cgk_…", digest, sealed: Buffer.from("sealed") });
  return id;
}

export function trainingData() {
  return { type: "text", title: "title", blobDigest: store.newId(), textSha256: "s", codePoints: 1, bytes: 1 } as const;
}

export function newModelOf(trainingDataIds: string[]) {
  const engine = { modelName: "PaLM2", engine: "local-reader", base: null, retrieval: "lexical" };
  return { ...engine, title: "title", trainingDataType: "text" as const, trainingDataIds };
}

export function exchange(uid: string, at: Date): store.Exchange {
  const said = { receive: "question", send: "answer", type: "text", logType: "talk", kwargs: {} } as const;
  return { uid, nickname: null, source: "api", messageId: store.newId(), ...said, at };
}
