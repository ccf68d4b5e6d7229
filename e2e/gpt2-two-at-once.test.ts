import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply, newAccountsChatbot, openHouse, type TrainReply } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import { freeze } from "../testkit/faults/signals.ts";
import { adapterDigest, learner, learners, leftOver } from "../testkit/learning.ts";
import { manual } from "../testkit/manual.ts";

const LIMIT_MS = 60_000;
const learning = { model_name: "gpt2" };

async function ready(chatbot: Chatbot, training: TrainReply): Promise<ModelReply> {
  const model = (await trained(chatbot.caigun, training, chatbot.apiKey)) as ModelReply;
  assert.equal(model.status, "ready", JSON.stringify(model.failure));
  return model;
}

describe("two chatbots learn at once", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun({ env: { CAIGUN_TRAININGS: "2" } });
  });
  after(() => caigun.remove());

  it("each its own text, and both are ready", async () => {
    await using house = await openHouse(caigun);
    const chatbots = [new Chatbot(caigun), await newAccountsChatbot(caigun, house)];
    const trainings = [
      await chatbots[0]!.train(manual(120), learning),
      await chatbots[1]!.train(manual(140), learning),
    ];
    // However fast each of them is: the first is held until the second is there.
    const thaw = freeze(await learner(caigun));
    try {
      await eventually("both learn", LIMIT_MS, async () => (await learners(caigun)).length === 2);
    } finally {
      thaw();
    }
    const models = await Promise.all(trainings.map((training, at) => ready(chatbots[at]!, training)));
    const digests = await Promise.all(models.map((model, at) => adapterDigest(chatbots[at]!, model)));
    assert.notEqual(digests[0], digests[1]);
    for (const { adapter } of models) {
      const { held_out_loss: after, held_out_loss_before: before } = adapter as Record<string, number>;
      assert(after! < before!, JSON.stringify(adapter));
    }
    assert.equal((await chatbots[0]!.call(`models/${models[1]!.id}/adapter`)).status, 404);
    for (const chatbot of chatbots)
      assert.match((await chatbot.ask("When does the library on floor 7 open?")).text, /library on floor 7/);
    assert.deepEqual(await leftOver(caigun.home), []);
  });

  it("to the adapter that each has alone", async () => {
    const chatbot = new Chatbot(caigun);
    const alone = await adapterDigest(chatbot, await ready(chatbot, await chatbot.train(manual(60), learning)));
    const both = [await chatbot.train(manual(60), learning), await chatbot.train(manual(60), learning)];
    for (const training of both) assert.equal(await adapterDigest(chatbot, await ready(chatbot, training)), alone);
  });
});

describe("one learns at a time, and another waits", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    caigun = await startCaigun({ env: { CAIGUN_TRAININGS: "1" } });
    chatbot = new Chatbot(caigun);
  });
  after(() => caigun.remove());

  it("who is cancelled while waiting never begins, and the other goes on", async () => {
    await using house = await openHouse(caigun);
    const first = await chatbot.train(manual(60), learning);
    const thaw = freeze(await learner(caigun));
    try {
      const other = await newAccountsChatbot(caigun, house);
      // What takes a second does not wait for what takes minutes.
      await ready(other, await other.train(manual(5)));
      const second = await other.train(manual(40), learning);
      assert(new Date(second.deadline) > new Date(first.deadline), "it ends by then though it waits");
      assert.equal((await other.get<ModelReply>(`models/${second.id}`)).status, "queued");
      assert.equal((await other.call(`models/${second.id}/cancel`, { method: "POST" })).status, 200);
      const cancelled = (await trained(caigun, second, other.apiKey)) as ModelReply;
      assert.equal(cancelled.status, "cancelled");
      const third = await other.train(manual(30), learning);
      thaw();
      await ready(chatbot, first);
      await ready(other, third);
      assert.equal((await other.get<ModelReply>(`models/${second.id}`)).status, "cancelled");
      assert.deepEqual(await leftOver(caigun.home), []);
    } finally {
      thaw();
    }
  });
});
