import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { after, before, describe, it } from "node:test";
import { makeHome, type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply, readEvents } from "../testkit/chatbot.ts";

const text = "The office opens at nine in the morning. Parking costs three euros an hour.";
const question = "What does parking cost?";
const replay = (response: Response) => response.headers.get("idempotent-replayed");

describe("idempotency keys", () => {
  let home: string;
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    home = await makeHome();
    caigun = await startCaigun({ home });
    chatbot = new Chatbot(caigun);
    await chatbot.ready(text);
  });
  after(async () => {
    await caigun.stop();
    await rm(home, { recursive: true, force: true });
  });

  const train = (key: string, body: object) =>
    chatbot.call("train", { method: "POST", headers: { "idempotency-key": key }, json: body });
  const say = (key: string, { as = question, uid = "someone", query = "", accept = "application/json" } = {}) =>
    chatbot.say(as, { uid, query, headers: { "idempotency-key": key, accept } });
  const countModels = async () => (await chatbot.get<{ models: ModelReply[] }>("models")).models.length;
  const countMessages = async (uid: string) =>
    (await chatbot.get<{ messages: unknown[] }>("messages", { headers: { uid } })).messages.length;

  it("train: a repeat gets the first reply and trains nothing again", async () => {
    const before = await countModels();
    const first = await train("train-1", { text, title: "Once" });
    const reply = await first.json();
    assert.equal(replay(first), null);
    for (const path of ["train", "/api/chatbot/train"]) {
      const again = await chatbot.call(path, {
        method: "POST",
        headers: { "idempotency-key": "train-1" },
        // The default written out, and a form in place of JSON: the same request.
        body: new URLSearchParams({ title: "Once", text, model_name: "PaLM2" }),
      });
      assert.equal(replay(again), "true");
      assert.deepEqual(await again.json(), reply);
    }
    assert.equal(await countModels(), before + 1);
  });

  it("conversation: a repeat gets the first reply, and the question stands in the messages once", async () => {
    const first = await (await say("talk-1", { uid: "once" })).json();
    const again = await say("talk-1", { uid: "once" });
    assert.equal(replay(again), "true");
    assert.deepEqual(await again.json(), first);
    assert.equal(await countMessages("once"), 1);
  });

  it("the same key with other parameters, or on another call, is 400", async () => {
    await (await say("talk-2")).json();
    for (const other of [
      { as: "Where?" },
      { uid: "someone-else" },
      { query: "?nickname=A" },
      { query: "?explain=true" },
    ])
      await assertProblem(await say("talk-2", other), 400, "idempotency_key_reused");
    await assertProblem(await train("talk-2", { text, title: "T" }), 400, "idempotency_key_reused");
  });

  it("concurrent repeats wait for the first and do nothing themselves", async () => {
    const before = await countModels();
    const responses = await Promise.all(Array.from({ length: 8 }, () => train("train-2", { text, title: "Eight" })));
    const bodies = await Promise.all(responses.map((response) => response.text()));
    assert.equal(new Set(bodies).size, 1, bodies.join("\n"));
    assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200]));
    assert.equal(responses.filter((response) => replay(response) === null).length, 1);
    assert.equal(await countModels(), before + 1);
  });

  it("nothing is kept for what was refused", async () => {
    await assertProblem(await train("train-3", { text }), 400, "validation_failed");
    assert.equal((await train("train-3", { text, title: "Now whole" })).status, 200);
    const streamed = await say("talk-3", { accept: "text/html" });
    await assertProblem(streamed, 406, "not_acceptable");
    assert.equal(replay(await say("talk-3")), null);
    const unknown = await chatbot.call("train", {
      method: "POST",
      apiKey: "secret",
      headers: { "idempotency-key": "train-4" },
      json: { text, title: "T" },
    });
    await assertProblem(unknown, 401, "invalid_api_key");
    assert.equal(replay(await train("train-4", { text, title: "T" })), null);
    for (const key of ["", "a b", "x".repeat(256)])
      await assertProblem(await train(key, { text, title: "T" }), 400, "invalid_idempotency_key");
  });

  it("nothing is kept for a conversation without a model", async () => {
    const { models } = await chatbot.get<{ models: ModelReply[] }>("models");
    for (const { id } of models) await chatbot.call(`models/${id}`, { method: "DELETE" });
    await assertProblem(await say("talk-4"), 400, "no_model");
    await chatbot.ready(text);
    const now = await say("talk-4");
    assert.deepEqual([now.status, replay(now)], [200, null]);
  });

  it("a streamed reply is replayed whole, streamed or not", async () => {
    const stream = "text/event-stream";
    const first = readEvents(await (await say("talk-5", { accept: stream, uid: "streamed" })).text());
    const again = await say("talk-5", { accept: stream, uid: "streamed" });
    assert.equal(replay(again), "true");
    const replayed = readEvents(await again.text());
    const joined = (events: typeof first) =>
      events.flatMap(({ event, data }) => (event === "delta" ? [data.text] : [])).join("");
    assert.deepEqual(replayed.at(-1), first.at(-1));
    assert.deepEqual([joined(replayed), joined(first)], [first.at(-1)!.data.text, first.at(-1)!.data.text]);
    assert.deepEqual(await (await say("talk-5", { uid: "streamed" })).json(), first.at(-1)!.data);
    assert.equal(await countMessages("streamed"), 1);
  });

  it("a repeat after kill -9 and a restart gets the first reply", async () => {
    const trainReply = await (await train("train-5", { text, title: "Before the kill" })).json();
    const talkReply = await (await say("talk-6", { uid: "killed" })).json();
    const before = await countModels();
    const { apiKey } = chatbot;
    const exited = once(caigun.process, "exit");
    caigun.process.kill("SIGKILL");
    await exited;

    caigun = await startCaigun({ home });
    chatbot = new Chatbot(caigun, apiKey);
    const trainedAgain = await train("train-5", { text, title: "Before the kill" });
    assert.deepEqual([replay(trainedAgain), await trainedAgain.json()], ["true", trainReply]);
    const saidAgain = await say("talk-6", { uid: "killed" });
    assert.deepEqual([replay(saidAgain), await saidAgain.json()], ["true", talkReply]);
    assert.deepEqual([await countModels(), await countMessages("killed")], [before, 1]);
  });
});
