import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply, type TrainReply } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import {
  adapterDigest,
  checkpointed,
  eventsOf,
  type Learning,
  learner,
  leftOver,
  untilLearned,
} from "../testkit/learning.ts";
import { manual } from "../testkit/manual.ts";

/** Takes some seconds to learn, so that there is time to disturb it. */
const text = manual(400);

describe("a learning that is interrupted", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  let undisturbed: ModelReply;
  let expected: string;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    undisturbed = await ready(await train());
    expected = await adapterDigest(chatbot, undisturbed);
  });
  after(() => caigun.remove());

  const train = () => chatbot.train(text, { model_name: "gpt2" });
  async function ready(training: TrainReply): Promise<ModelReply> {
    const model = (await trained(caigun, training, chatbot.apiKey)) as ModelReply;
    assert.equal(model.status, "ready", JSON.stringify(model.failure));
    return model;
  }

  it("goes on to the same end where the process that learns is killed, whenever that is", async () => {
    const training = await train();
    const kill = async () => process.kill(await learner(caigun), "SIGKILL");
    await kill(); // it has done nothing yet
    await untilLearned(chatbot, training, 1);
    await kill(); // between a beginning and the first checkpoint, or after it
    const kept = await eventually("it is kept what was learned", 60_000, () => checkpointed(caigun.home, training));
    await kill();
    assert(kept > 0);
    const again = await ready(training);
    assert.deepEqual(again.adapter, undisturbed.adapter);
    assert.equal(await adapterDigest(chatbot, again), expected);
    assert.deepEqual(await leftOver(caigun.home), []);
  });

  it("goes on from where it was to the same end where the server is killed", async () => {
    const training = await train();
    await untilLearned(chatbot, training, 1);
    const kept = await eventually("it is kept what was learned", 60_000, () => checkpointed(caigun.home, training));
    caigun.process.kill("SIGKILL");
    await once(caigun.process, "exit");
    caigun = await startCaigun({ home: caigun.home });
    chatbot = new Chatbot(caigun, chatbot.apiKey);
    const steps: number[] = [];
    for await (const { data } of eventsOf(chatbot, training))
      if (data.learning) steps.push((data.learning as Learning).step);
    // The first may be what was told last before the server was killed.
    assert(
      steps.slice(1).every((step) => step > kept),
      `it began again: steps ${steps} after ${kept} were kept`,
    );
    assert.equal(await adapterDigest(chatbot, await ready(training)), expected);
    assert.deepEqual(await leftOver(caigun.home), []);
  });
});
