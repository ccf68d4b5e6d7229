import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply, type ServerSentEvent } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import {
  checkpointed,
  eventsOf,
  type Learning,
  learner,
  learners,
  leftOver,
  untilLearned,
} from "../testkit/learning.ts";
import { manual } from "../testkit/manual.ts";

type Adapter = {
  base_digest: string;
  steps: number;
  tokens: number;
  held_out_loss_before: number;
  held_out_loss: number;
  curve: { step: number; loss: number | null; held_out_loss: number | null }[];
};
type Failure = { stage: string; cause: string; fix: string };

/** Takes some seconds to learn, so that there is time to disturb it. */
const text = manual(400);

describe("gpt2", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
  });
  after(() => caigun.remove());

  const train = (text: string) => chatbot.train(text, { model_name: "gpt2" });

  it("learns a text, tells how it goes, and ends with a smaller loss of what was held out", async () => {
    const training = await train(text);
    const seen: Learning[] = [];
    let last: ServerSentEvent | undefined;
    for await (const event of eventsOf(chatbot, training)) {
      const learning = event.data.learning as Learning | null;
      if (learning) {
        assert.equal(event.data.stage, "learn");
        assert.deepEqual([learning.base, learning.base_because], ["tiny-gpt2", null]);
        seen.push(learning);
      }
      last = event;
    }
    assert.equal(last!.event, "completed", JSON.stringify(last!.data));
    const model = await chatbot.get<ModelReply>(`models/${training.id}`);
    assert.deepEqual([model.engine, model.base], ["lora", "tiny-gpt2"]);
    const adapter = model.adapter as Adapter;
    assert.match(adapter.base_digest, /^[0-9a-f]{64}$/);
    assert(adapter.held_out_loss < adapter.held_out_loss_before - 0.1, JSON.stringify(adapter));
    assert(adapter.steps > 0 && adapter.tokens > 10_000);
    const curve = adapter.curve.filter(({ held_out_loss }) => held_out_loss !== null);
    assert.equal(Math.min(...curve.map(({ held_out_loss }) => held_out_loss!)), adapter.held_out_loss);
    assert(seen.length >= 2, "it was told more than once");
    for (const [at, { step, steps, loss }] of seen.entries()) {
      assert(step >= 1 && step <= steps && Number.isFinite(loss));
      assert(at === 0 || step > seen[at - 1]!.step);
    }
    assert.deepEqual(await leftOver(caigun.home), []);
    const reply = await chatbot.ask("When does the library on floor 7 open?");
    assert.match(reply.text, /library on floor 7/);
    assert.deepEqual([reply.base, reply.base_because], ["tiny-gpt2", null]);
  });

  it("refuses a text that is too short to learn from, and says what to do", async () => {
    const model = await trained(caigun, await train("The office opens at nine."));
    assert.equal(model.status, "failed");
    const { stage, cause, fix } = model.failure as Failure;
    assert.equal(stage, "learn");
    assert.match(cause, /^The text has \d+ tokens, and a language model needs 256/);
    assert.match(fix, /longer text.*"PaLM2"/);
    assert.equal(model.adapter, null);
  });

  for (const [how, path, method] of [
    ["cancelled", "/cancel", "POST"],
    ["deleted", "", "DELETE"],
  ] as const)
    it(`stops within a step where it is ${how}, and leaves nothing`, async () => {
      const training = await train(text);
      await untilLearned(chatbot, training, 1);
      await eventually("it is kept what was learned", 60_000, () => checkpointed(caigun.home, training));
      const pid = await learner(caigun);
      assert.equal((await chatbot.call(`models/${training.id}${path}`, { method })).status, 200);
      await eventually("the process is gone", 2_000, async () => !(await learners(caigun)).includes(pid));
      await eventually("nothing is left", 2_000, async () => (await leftOver(caigun.home)).length === 0);
      const response = await chatbot.call(`models/${training.id}`);
      if (how === "deleted") assert.equal(response.status, 410);
      else assert.equal(((await response.json()) as ModelReply).status, "cancelled");
    });

  it("leaves nothing where it is cancelled between two attempts", async () => {
    const training = await train(text);
    await untilLearned(chatbot, training, 1);
    await eventually("it is kept what was learned", 60_000, () => checkpointed(caigun.home, training));
    process.kill(await learner(caigun), "SIGKILL");
    // The attempt is over, what it learned waits for the next one.
    await eventually("only what was learned is left", 10_000, async () => {
      const left = await leftOver(caigun.home);
      return left.length === 1 && left[0] === training.event_id;
    });
    assert.equal((await chatbot.call(`models/${training.id}/cancel`, { method: "POST" })).status, 200);
    await eventually("nothing is left", 30_000, async () => (await leftOver(caigun.home)).length === 0);
  });
});
