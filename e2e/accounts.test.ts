import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type OperationId, type Route, routes } from "@caigun/contract";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import {
  assertProblem,
  Chatbot,
  type ModelReply,
  newAccountsChatbot,
  newChatbot,
  openHouse,
  type TrainReply,
} from "../testkit/chatbot.ts";

const text = "The office opens at nine in the morning. Parking costs three euros an hour.";
const question = "When does the office open?";
const theirText = "The gym is on the third floor.";

/** What the owner has, in every state that an id of its can be in. */
type Owned = {
  chatbot: Chatbot;
  uid: string;
  models: Record<"ready" | "failed" | "cancelled" | "deleted", TrainReply>;
  trainingDataIds: Record<"live" | "deleted", string>;
  unansweredIds: string[];
};

/** How a call is tried by a chatbot that the ids do not belong to. */
type Case =
  /** It names something by its id: each of these ids must get the very reply of one that never was. */
  | { ids: (owned: Owned) => string[]; request: (stranger: Chatbot, id: string) => Promise<Response> }
  /** It names nothing, or filters alone: its own test says what a stranger may see. */
  | { isolated: (stranger: Chatbot, owned: Owned) => Promise<void> };

const modelIds = ({ models }: Owned) => Object.values(models).map(({ id }) => id);

const cases: Record<OperationId, Case> = {
  trainModel: {
    async isolated(stranger, { chatbot }) {
      const body = {
        method: "POST",
        headers: { "idempotency-key": randomUUID() },
        json: { text: theirText, title: "Mine" },
      };
      const mine = await stranger.get<TrainReply>("train", body);
      const theirs = await chatbot.get<TrainReply>("train", body);
      assert.notEqual(mine.id, theirs.id);
      const { models } = await stranger.get<{ models: ModelReply[] }>("models");
      assert(models.every(({ id }) => id !== theirs.id));
      await chatbot.get(`models/${theirs.id}`, { method: "DELETE" });
    },
  },
  listModels: {
    async isolated(stranger, owned) {
      const { models } = await stranger.get<{ models: ModelReply[] }>("models");
      const foreign = modelIds(owned);
      assert(models.every(({ id }) => !foreign.includes(id)));
    },
  },
  getModel: { ids: modelIds, request: (stranger, id) => stranger.call(`models/${id}`) },
  deleteModel: { ids: modelIds, request: (stranger, id) => stranger.call(`models/${id}`, { method: "DELETE" }) },
  cancelTraining: {
    ids: modelIds,
    request: (stranger, id) => stranger.call(`models/${id}/cancel`, { method: "POST" }),
  },
  exportAdapter: { ids: modelIds, request: (stranger, id) => stranger.call(`models/${id}/adapter?format=gguf`) },
  pinModel: {
    ids: modelIds,
    request: (stranger, id) => stranger.call("model_id", { method: "PATCH", json: { id } }),
  },
  converse: {
    async isolated(stranger, { chatbot, uid }) {
      const before = await messagesOf(chatbot, uid);
      const key = { "idempotency-key": randomUUID() };
      const theirs = await chatbot.ask(question, { uid: "keyed", headers: key });
      const response = await stranger.say(question, { uid: "keyed", headers: key });
      assert.equal(response.headers.get("idempotent-replayed"), null);
      const mine = (await response.json()) as typeof theirs;
      assert.notEqual(mine.message_id, theirs.message_id);
      assert.notEqual(mine.model_id, theirs.model_id);
      assert.notEqual(mine.text, theirs.text, "it answers from its own text alone");

      await stranger.ask("Where is the gym?", { uid });
      assert.deepEqual(await messagesOf(chatbot, uid), before, "the same uid is another conversation");
      assert(!(await messagesOf(stranger, uid)).some((message) => before.includes(message)));
    },
  },
  listMessages: {
    async isolated(stranger, { chatbot }) {
      await chatbot.ask(question, { uid: "theirs alone" });
      assert.deepEqual(await messagesOf(stranger, "theirs alone"), []);
      assert.deepEqual(await messagesOf(stranger, randomUUID()), []);
    },
  },
  listConversations: {
    async isolated(stranger, { chatbot }) {
      await chatbot.ask(question, { uid: "seen by one" });
      const { uids } = await stranger.get<{ uids: { uid: string }[] }>("conversation/uids?limit=1000");
      assert(uids.every(({ uid }) => uid !== "seen by one"));
    },
  },
  streamEvent: {
    ids: ({ models }) => Object.values(models).map(({ event_id }) => event_id),
    request: (stranger, id) => stranger.call(`events/${id}/stream`),
  },
  getTrainingDataText: {
    ids: ({ trainingDataIds }) => Object.values(trainingDataIds),
    request: (stranger, id) => stranger.call(`training_data/${id}/text`),
  },
  listUnanswered: {
    async isolated(stranger, { chatbot, unansweredIds }) {
      await stranger.ask("What does the chatbot of somebody else know?");
      const mine = await unansweredOf(stranger);
      const theirs = await unansweredOf(chatbot);
      assert(mine.length > 0 && theirs.includes(unansweredIds[0]!));
      assert(!mine.some((id) => theirs.includes(id)));
    },
  },
  answerUnanswered: {
    ids: ({ unansweredIds }) => unansweredIds,
    request: (stranger, id) =>
      stranger.call(`unanswered/${id}/answer`, { method: "POST", json: { text: "An answer." } }),
  },
  dropUnanswered: {
    ids: ({ unansweredIds }) => unansweredIds,
    request: (stranger, id) => stranger.call(`unanswered/${id}`, { method: "DELETE" }),
  },
  getSettings: { isolated: settingsAreOnesOwn },
  changeSettings: { isolated: settingsAreOnesOwn },
};

async function settingsAreOnesOwn(stranger: Chatbot, { chatbot }: Owned): Promise<void> {
  const theirs = await chatbot.get("settings");
  const mine = { strictness: "low", quality: "best", refusal: "Ask somebody else.", stay_local: true, writer: "none" };
  assert.deepEqual(await stranger.get("settings", { method: "PATCH", json: mine }), mine);
  assert.deepEqual(await stranger.get("settings"), mine);
  assert.deepEqual(await chatbot.get("settings"), theirs);
  assert.notDeepEqual(theirs, mine);
}

async function unansweredOf(chatbot: Chatbot): Promise<string[]> {
  const { unanswered } = await chatbot.get<{ unanswered: { id: string }[] }>("unanswered");
  return unanswered.map(({ id }) => id);
}

async function messagesOf(chatbot: Chatbot, uid: string): Promise<string[]> {
  const { messages } = await chatbot.get<{ messages: { id: string }[] }>("messages", { headers: { uid } });
  return messages.map(({ id }) => id);
}

/** Whether anything that a call takes in path, query, headers or body is an id. */
function takesId(route: Route): boolean {
  const schemas = [route.params, route.query, route.headers, route.body].map((schema) => JSON.stringify(schema ?? {}));
  return schemas.some((schema) => schema.includes('"format":"uuid"'));
}

describe("what is another's", () => {
  let caigun: RunningCaigun;
  let owned: Owned;
  const strangers: Record<string, Chatbot> = {};

  before(async () => {
    caigun = await startCaigun();
    const chatbot = new Chatbot(caigun);
    const uid = "someone";
    const deleted = (await chatbot.ready(text)) as ModelReply & TrainReply;
    const deletedData = (await chatbot.ask(question)).citations[0]!.training_data_id;
    await chatbot.get(`models/${deleted.id}`, { method: "DELETE" });
    const ready = (await chatbot.ready(text)) as ModelReply & TrainReply;
    const liveData = (await chatbot.ask(question, { uid })).citations[0]!.training_data_id;
    await chatbot.ask("Who conquered the Persian empire?", { uid });
    const unansweredIds = await unansweredOf(chatbot);
    // Too short to learn from.
    const failed = await chatbot.train(text, { model_name: "gpt2" });
    assert.equal((await trained(caigun, failed)).status, "failed");
    const cancelled = await chatbot.train(`${text}\n\n${"A long walk through the park. ".repeat(100_000)}`);
    await chatbot.get(`models/${cancelled.id}/cancel`, { method: "POST" });
    owned = {
      chatbot,
      uid,
      models: { ready, failed, cancelled, deleted },
      trainingDataIds: { live: liveData, deleted: deletedData },
      unansweredIds,
    };
    await using house = await openHouse(caigun);
    strangers["another chatbot of the same account"] = await newChatbot(caigun, house);
    strangers["a chatbot of another account"] = await newAccountsChatbot(caigun, house);
    for (const stranger of Object.values(strangers)) await stranger.ready(theirText);
  });
  after(() => caigun.remove());

  it("every call has its case, and each that takes an id is tried with ids", () => {
    assert.deepEqual(Object.keys(cases).toSorted(), routes.map(({ operationId }) => operationId).toSorted());
    for (const route of routes) {
      const byIds = "ids" in cases[route.operationId];
      assert.equal(byIds, takesId(route), `${route.operationId} ${byIds ? "takes no id" : "takes an id"}`);
    }
  });

  for (const who of ["another chatbot of the same account", "a chatbot of another account"]) {
    for (const [operationId, check] of Object.entries(cases)) {
      it(`${operationId}, called by ${who}`, async () => {
        const stranger = strangers[who]!;
        if ("isolated" in check) return check.isolated(stranger, owned);
        const { request_id: _, ...unknown } = await unknownOf(await check.request(stranger, randomUUID()));
        const inPath = routes.some((route) => route.operationId === operationId && "params" in route);
        // In a path that is just no such thing; in a body it is a wrong field.
        const malformed = inPath ? ["no-uuid", "%00"] : [];
        for (const id of [...check.ids(owned), ...malformed, randomUUID().toUpperCase()]) {
          const { request_id: _, ...body } = await unknownOf(await check.request(stranger, id));
          assert.deepEqual(body, unknown, id);
        }
      });
    }
  }

  it("the owner still has all of it", async () => {
    const { chatbot, models, trainingDataIds } = owned;
    for (const status of ["ready", "failed", "cancelled"] as const)
      assert.equal((await chatbot.get<ModelReply>(`models/${models[status].id}`)).status, status);
    await assertProblem(await chatbot.call(`models/${models.deleted.id}`), 410, "model_deleted");
    assert.equal((await chatbot.get<{ text: string }>(`training_data/${trainingDataIds.live}/text`)).text, text);
    assert.equal((await chatbot.ask(question)).model_id, models.ready.id);
  });
});

async function unknownOf(response: Response) {
  const { code } = (await response.clone().json()) as { code: string };
  return assertProblem(response, 404, code);
}
