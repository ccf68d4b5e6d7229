import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply } from "../testkit/chatbot.ts";
import { assertShape, type Fields, type Shape } from "../testkit/shapes.ts";

const text =
  "The office opens at nine in the morning. Parking costs three euros an hour.\n\n" +
  "The canteen serves soup on Mondays. Visitors sign in at the front desk.\n\n" +
  "Bicycles stand in the yard. The library lends books for two weeks.\n\n" +
  "The gym is on the third floor. Showers are in the basement.\n\n" +
  "Meeting rooms are booked by telephone. The post leaves at five.\n\n" +
  "The printer takes yellow cards. Lost cards are replaced for ten euros.";

const model: Fields = {
  title: "string",
  id: "uuid",
  updated_at: "time",
  created_at: "time",
  model_name: "string",
  training_data_type: { oneOf: ["text", "file", "crawler"] },
  status: { oneOf: ["queued", "training", "ready", "failed", "cancelled"] },
  stage: "string|null",
  progress: "number",
  event_id: "uuid",
  deadline: "time",
  engine: "string",
  base: "string|null",
  retrieval: "string|null",
  failure: "object|null",
  evaluation: "object|null",
};
const citation: Fields = {
  training_data_id: "uuid",
  title: "string",
  start: "number",
  end: "number",
  quote: "string",
  text_sha256: "sha256",
};
const conversationReply: Fields = {
  text: "string",
  answered: "boolean",
  citations: { list: { fields: citation } },
  engine: "string",
  model_id: "uuid",
  message_id: "uuid",
};
const message: Fields = {
  created_at: "time",
  receive: "string",
  send: "string",
  type: { oneOf: ["text"] },
  id: "uuid",
  log_type: { oneOf: ["talk", "vision"] },
  kwargs: "object",
};
const uid: Fields = {
  uid: "string",
  nickname: "string",
  source: { oneOf: ["api", "portal", "webchat"] },
  last_sent: "string",
  last_sent_at: "time",
};
const models: Shape = { fields: { models: { list: { fields: model } } } };
const uids: Shape = { fields: { uids: { list: { fields: uid } } } };
const messages: Shape = { fields: { messages: { list: { fields: message } } } };

type Message = { id: string; receive: string; send: string; created_at: string; kwargs: Record<string, unknown> };
type Uid = { uid: string; nickname: string; last_sent: string; last_sent_at: string };

describe("the documented calls", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  let ready: ModelReply;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    ready = await chatbot.ready(text, "Handbook");
  });
  after(() => caigun.remove());

  const listed = async (query: string, uid: string) =>
    (await chatbot.get<{ messages: Message[] }>(`messages${query}`, { headers: { uid } })).messages;
  const listedUids = async (query = "") => (await chatbot.get<{ uids: Uid[] }>(`conversation/uids${query}`)).uids;

  it("train, on both of its paths", async () => {
    for (const path of ["/api/external/chatbot/train", "/api/chatbot/train"]) {
      const reply = await chatbot.get(path, { method: "POST", json: { text, title: "Twice", model_name: "PaLM2" } });
      assertShape(reply, {
        fields: { id: "uuid", event_id: "uuid", deadline: "time", status: { oneOf: ["queued"] } },
      });
    }
  });

  it("models, newest first, on both paths, and each by its id", async () => {
    for (const path of ["/api/external/chatbot/models", "/api/chatbot/models"]) {
      const reply = await chatbot.get<{ models: (ModelReply & { created_at: string })[] }>(path);
      assertShape(reply, models);
      const times = reply.models.map(({ created_at }) => created_at);
      assert.deepEqual(times, times.toSorted().reverse());
      assert.equal(reply.models.at(-1)!.id, ready.id);
    }
    for (const path of [`models/${ready.id}`, `/api/chatbot/models/${ready.id}`]) {
      const one = await chatbot.get<ModelReply>(path);
      assertShape(one, { fields: model });
      const facts = { title: "Handbook", model_name: "PaLM2", training_data_type: "text", status: "ready" };
      assert.deepEqual({ ...one, ...facts }, one);
      assert.deepEqual([one.stage, one.progress, one.engine, one.failure], [null, 1, "local-reader", null]);
    }
  });

  it("conversation, in every published spelling", async () => {
    const spellings = [
      "/api/external/chatbot/conversation",
      "/api/chatbot/conversation",
      "/api/external/chatbot/conversation?nickname=Ann",
      "/api/external/chatbot/conversation&nickname=Ann",
      "/api/chatbot/conversation&nickname=Ann",
      "/api/external/chatbot/conversation&nickname=Ann&explain=False",
    ];
    for (const path of spellings) {
      const reply = await chatbot.get(path, {
        method: "POST",
        headers: { uid: "spelling" },
        json: { text: "When does the office open?" },
      });
      assertShape(reply, { fields: conversationReply });
      assert.equal((reply as { text: string }).text, "The office opens at nine in the morning.");
      assert.deepEqual(Object.keys(reply as object).sort(), Object.keys(conversationReply).sort());
    }
    assert.equal((await listed("?nickname=Ann", "spelling")).length, 4);
    assert.equal((await listedUids()).find(({ uid }) => uid === "spelling")!.nickname, "Ann");
  });

  it("explain=true also tells confidence, candidate and the five best passages", async () => {
    const explained: Fields = {
      ...conversationReply,
      confidence: "number",
      candidate: { fields: { text: "string", citations: { list: { fields: citation } } } },
      passages: { list: { fields: { training_data_id: "uuid", start: "number", end: "number", score: "number" } } },
    };
    const long = Array.from({ length: 40 }, (_, number) => `Room ${number} holds ${number + 3} people. `.repeat(12));
    await chatbot.ready(long.join("\n\n"), "Rooms");
    for (const spelling of ["true", "True", "1"]) {
      const reply = await chatbot.ask("How many people does room 7 hold?", { query: `?explain=${spelling}` });
      assertShape(reply, { fields: explained });
      assert.equal(reply.passages!.length, 5);
      const scores = reply.passages!.map(({ score }) => score);
      assert.deepEqual(
        scores,
        scores.toSorted((a, b) => b - a),
        "best first",
      );
      assert(reply.confidence! >= 0 && reply.confidence! <= 1);
    }
    const refused = await chatbot.ask("Which room has the prettiest unicorn tapestry?", { query: "?explain=true" });
    assertShape(refused, { fields: explained });
    assert.deepEqual([refused.answered, refused.citations], [false, []]);
    assert(refused.candidate!.citations.length > 0, "the candidate is shown though it was refused");
    assert.notEqual(refused.candidate!.text, refused.text);
  });

  it("messages: newest first, paged, with what was received and sent", async () => {
    const said = ["When does the office open?", "What does parking cost?", "Where is the gym?"];
    for (const [place, question] of said.entries())
      await chatbot.ask(question, { uid: "reader", query: place === 1 ? "?nickname=Bo" : "" });
    const reply = await chatbot.get("messages", { headers: { uid: "reader" } });
    assertShape(reply, messages);
    const all = (reply as { messages: Message[] }).messages;
    assert.deepEqual(
      all.map(({ receive }) => receive),
      said.toReversed(),
    );
    assert(all.every(({ kwargs }) => "citations" in kwargs));
    const ids = (found: Message[]) => found.map(({ id }) => id);
    assert.deepEqual(ids(await listed("?offset=1&limit=1", "reader")), [all[1]!.id]);
    assert.deepEqual(ids(await listed("?offset=3", "reader")), []);
    assert.deepEqual(ids(await listed("?nickname=Bo", "reader")), [all[1]!.id]);
    assert.deepEqual(ids(await listed("&nickname=Bo", "reader")), [all[1]!.id]);
    assert.deepEqual(
      ids(
        ((await chatbot.get("/api/chatbot/messages", { headers: { uid: "reader" } })) as { messages: Message[] })
          .messages,
      ),
      ids(all),
    );
    assert.deepEqual(await listed("", "nobody"), []);
    await assertProblem(await chatbot.call("messages"), 400, "validation_failed");
  });

  it("uids: on all four paths, by their last message, newest first, nicknames always texts", async () => {
    for (const uid of ["first", "second", "third"]) await chatbot.ask("Where is the gym?", { uid });
    await chatbot.ask("What does parking cost?", { uid: "first", query: "?nickname=Zo%C3%AB" });
    await chatbot.ask("Where is the gym?", { uid: "first" });
    for (const path of [
      "/api/external/chatbot/conversation/uids",
      "/api/external/chatbot/conversation_uids",
      "/api/chatbot/conversation/uids",
      "/api/chatbot/conversation_uids",
    ]) {
      const reply = await chatbot.get(path);
      assertShape(reply, uids);
      const found = (reply as { uids: Uid[] }).uids;
      assert.deepEqual(
        found.slice(0, 3).map(({ uid, nickname }) => [uid, nickname]),
        [
          ["first", "Zoë"],
          ["third", ""],
          ["second", ""],
        ],
      );
    }
    assert.deepEqual(
      (await listedUids("?offset=1&limit=2")).map(({ uid }) => uid),
      ["third", "second"],
    );
  });

  it("start_at and end_at are inclusive; a bare date is that whole day, in UTC", async () => {
    await chatbot.ask("Where is the gym?", { uid: "in time" });
    const [{ created_at: at }] = (await listed("", "in time")) as [Message];
    const day = at.slice(0, 10);
    const shifted = (ms: number) => new Date(Date.parse(at) + ms).toISOString();
    const dayAway = (days: number) => shifted(days * 86_400_000).slice(0, 10);
    const counts: [string, number][] = [
      [`?start_at=${at}&end_at=${at}`, 1],
      [`?start_at=${shifted(1)}`, 0],
      [`?end_at=${shifted(-1)}`, 0],
      [`?start_at=${day}&end_at=${day}`, 1],
      [`?start_at=1970-1-1`, 1],
      [`?end_at=${dayAway(-1)}`, 0],
      [`?start_at=${dayAway(1)}`, 0],
      [`?start_at=${dayAway(-1)}&end_at=${dayAway(1)}`, 1],
      [`?start_at=&end_at=`, 1],
      [`?start_at=${encodeURIComponent(at.replace("Z", "+00:00"))}`, 1],
    ];
    for (const [query, count] of counts) {
      assert.equal((await listed(query, "in time")).length, count, query);
      const found = (await listedUids(query)).filter(({ uid }) => uid === "in time");
      assert.equal(found.length, count, `uids${query}`);
    }
    for (const query of ["?start_at=yesterday", "?end_at=2023-02-30", "?limit=0", "?offset=-1", "?limit=x"])
      await assertProblem(await chatbot.call(`conversation/uids${query}`), 400, "validation_failed");
  });

  it("training_data/{id}/text is the text as sent, and citations are exact slices of it", async () => {
    const { id: pinned } = await chatbot.ready(text, "Again");
    const { citations } = await chatbot.ask("What does parking cost?");
    const found = citations[0]!;
    for (const path of ["training_data", "/api/chatbot/training_data"]) {
      const reply = await chatbot.get<{ text: string }>(`${path}/${found.training_data_id}/text`);
      assertShape(reply, { fields: { id: "uuid", title: "string", text: "string", text_sha256: "sha256" } });
      assert.deepEqual(reply, {
        id: found.training_data_id,
        title: "Again",
        text,
        text_sha256: createHash("sha256").update(text).digest("hex"),
      });
    }
    assert.equal(found.title, "Again");
    assert.equal(text.slice(found.start, found.end), found.quote);
    assert.equal((await chatbot.ask("What does parking cost?")).model_id, pinned);
  });

  it("the OpenAPI document names every call, and the reference page shows it", async () => {
    const document = (await (await caigun.call("/openapi.json", { apiKey: null })).json()) as {
      openapi: string;
      paths: Record<string, Record<string, { "x-aliases"?: string[] }>>;
    };
    assert.match(document.openapi, /^3\.1/);
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace("/api/external/chatbot/", "")}`),
    );
    assert.deepEqual(calls.toSorted(), [
      "DELETE models/{id}",
      "DELETE unanswered/{id}",
      "GET conversation/uids",
      "GET events/{event_id}/stream",
      "GET messages",
      "GET models",
      "GET models/{id}",
      "GET models/{id}/adapter",
      "GET settings",
      "GET training_data/{id}/text",
      "GET unanswered",
      "PATCH model_id",
      "PATCH settings",
      "POST conversation",
      "POST models/{id}/cancel",
      "POST train",
      "POST unanswered/{id}/answer",
    ]);
    const page = await caigun.call("/docs", { apiKey: null });
    assert.equal(page.status, 200);
    assert.doesNotMatch(await page.text(), /src="https?:/, "nothing is loaded from elsewhere");
  });
});
