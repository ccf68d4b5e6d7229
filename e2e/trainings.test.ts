import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply, readEvents, type TrainReply } from "../testkit/chatbot.ts";
import { processesOf } from "../testkit/processes.ts";

/** Takes some seconds to train. */
const longText = Array.from(
  { length: 60_000 },
  (_, number) => `Warehouse ${number} stands in street ${(number * 7919) % 60_013} and keeps ${number * 3} crates.`,
).join("\n\n");
const question = "When does the office open?";
const answer = (hour: string) => `The office opens at ${hour} in the morning.`;

describe("models and their trainings", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    // One at a time, so that a second training waits.
    caigun = await startCaigun({ env: { CAIGUN_TRAININGS: "1" } });
    chatbot = new Chatbot(caigun);
  });
  after(() => caigun.remove());

  const stream = ({ event_id }: { event_id: string }, headers: Record<string, string> = {}) =>
    chatbot.call(`events/${event_id}/stream`, { headers });
  const pin = (id: string | null) => chatbot.get("model_id", { method: "PATCH", json: { id } });
  const cancel = (id: string) => chatbot.call(`models/${id}/cancel`, { method: "POST" });
  const remove = (id: string) => chatbot.get(`models/${id}`, { method: "DELETE" });
  const builders = async () =>
    (await processesOf(caigun.process.pid!)).filter(({ command }) => command.includes("build-child"));

  async function untilStage(training: TrainReply, stage: string): Promise<void> {
    const { body } = await stream(training);
    let received = "";
    for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
      received += piece;
      if (received.includes(`"stage":"${stage}"`)) return;
    }
    assert.fail(`the training ended before the stage ${stage}: ${received}`);
  }

  it("no model yet: conversation is 400 and says what to do", async () => {
    const { detail } = await assertProblem(await chatbot.say(question), 400, "no_model");
    assert.match(detail, /Train one/);
  });

  it("a progress stream goes through the stages to one completed, and on from Last-Event-ID", async () => {
    const training = await chatbot.train(answer("seven"));
    const response = await stream(training);
    assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
    const events = readEvents(await response.text());
    assert.deepEqual(
      events
        .map(({ event }) => event)
        .slice(0, -1)
        .filter((event) => event !== "progress"),
      [],
    );
    const last = events.at(-1)!;
    assert.equal(last.event, "completed");
    assert.deepEqual(last.data, {
      event_id: training.event_id,
      model_id: training.id,
      status: "ready",
      stage: null,
      progress: 1,
      learning: null,
      failure: null,
    });
    const ids = events.map(({ id }) => Number(id));
    assert.deepEqual(
      ids,
      ids.toSorted((a, b) => a - b),
    );
    const shares = events.map(({ data }) => data.progress as number);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => a - b),
      "progress never goes back",
    );

    const again = readEvents(await (await stream(training, { "last-event-id": last.id! })).text());
    assert.deepEqual(again, [last]);
  });

  it("a training that fails says the stage, the cause and the fix", async () => {
    const training = await chatbot.train(answer("eight"), { model_name: "gpt2" });
    const model = await trained(caigun, training);
    assert.equal(model.status, "failed");
    const failure = model.failure as { stage: string; cause: string; fix: string };
    assert.equal(failure.stage, "learn");
    assert.match(`${failure.cause} ${failure.fix}`, /needs 256 to learn from\..*"PaLM2"/);
    const [failed, ...more] = readEvents(await (await stream(training)).text());
    assert.deepEqual([failed!.event, failed!.data.failure, more], ["failed", failure, []]);
    await assertProblem(await cancel(training.id), 400, "not_running");
    const refused = await chatbot.call("model_id", { method: "PATCH", json: { id: training.id } });
    await assertProblem(refused, 400, "model_not_ready");
  });

  it("cancelling ends the training, its process, and what waits behind it can start", async () => {
    const running = await chatbot.train(longText);
    await untilStage(running, "index");
    assert.equal((await builders()).length, 1);
    const waiting = await chatbot.train(answer("nine"));
    assert.equal((await chatbot.get<ModelReply>(`models/${waiting.id}`)).status, "queued");

    const [queued] = readEvents(
      await (async () => {
        const { body } = await stream(waiting);
        for await (const piece of body!.pipeThrough(new TextDecoderStream())) return piece;
        return "";
      })(),
    );
    assert.deepEqual([queued!.event, queued!.data.status], ["progress", "queued"]);
    const following = stream(waiting, { "last-event-id": queued!.id! });

    const cancelled = (await (await cancel(waiting.id)).json()) as ModelReply;
    assert.deepEqual([cancelled.id, cancelled.status, cancelled.stage], [waiting.id, "cancelled", null]);
    const told = readEvents(await (await following).text());
    assert.deepEqual(
      told.map(({ event }) => event),
      ["cancelled"],
      "what the Last-Event-ID has seen is not sent again",
    );

    const { event_id } = await chatbot.get<TrainReply>(`models/${running.id}`);
    const end = stream({ event_id }).then((response) => response.text());
    assert.equal(((await (await cancel(running.id)).json()) as ModelReply).status, "cancelled");
    assert.equal(readEvents(await end).at(-1)!.event, "cancelled");
    const patience = AbortSignal.timeout(10_000);
    while ((await builders()).length > 0) await delay(20, undefined, { signal: patience });
    for (const { id } of [running, waiting]) {
      assert.equal((await chatbot.get<ModelReply>(`models/${id}`)).status, "cancelled");
      await assertProblem(await cancel(id), 400, "not_running");
    }
    assert.equal((await chatbot.ready(answer("nine"))).status, "ready");
  });

  it("the latest ready model answers; a pinned one instead, until null", async () => {
    const older = await chatbot.ready(answer("ten"));
    const newer = await chatbot.ready(answer("eleven"));
    assert.equal((await chatbot.ask(question)).model_id, newer.id);
    assert.deepEqual(await pin(older.id), { detail: "Update successfully" });
    const reply = await chatbot.ask(question);
    assert.deepEqual([reply.model_id, reply.text], [older.id, answer("ten")]);
    await chatbot.ready(answer("twelve"));
    assert.equal((await chatbot.ask(question)).model_id, older.id, "a newer one does not take over");
    assert.deepEqual(await pin(null), { detail: "Update successfully" });
    assert.equal((await chatbot.ask(question)).text, answer("twelve"));
  });

  it("a deleted model is gone at once, and its text with it; the next latest answers", async () => {
    const kept = await chatbot.ready(answer("one"));
    const deleted = await chatbot.ready(answer("two"));
    const { citations } = await chatbot.ask(question);
    const textPath = `training_data/${citations[0]!.training_data_id}/text`;
    assert.equal((await chatbot.call(textPath)).status, 200);
    await pin(deleted.id);

    assert.deepEqual(await remove(deleted.id), { detail: "Delete model successfully" });
    const reply = await chatbot.ask(question);
    assert.deepEqual([reply.model_id, reply.text], [kept.id, answer("one")], "unpinned, and the next latest answers");
    await assertProblem(await chatbot.call(textPath), 404, "training_data_not_found");
    await assertProblem(await chatbot.call(`models/${deleted.id}`), 410, "model_deleted");
    await assertProblem(await chatbot.call(`models/${deleted.id}`, { method: "DELETE" }), 410, "model_deleted");
    await assertProblem(await cancel(deleted.id), 410, "model_deleted");
    const pinned = await chatbot.call("model_id", { method: "PATCH", json: { id: deleted.id } });
    await assertProblem(pinned, 410, "model_deleted");
    const { models } = await chatbot.get<{ models: ModelReply[] }>("models");
    assert(models.every(({ id }) => id !== deleted.id));
    assert.equal((await chatbot.ready(answer("three"))).id, (await chatbot.ask(question)).model_id);
  });

  it("deleting a model that trains stops it", async () => {
    const training = await chatbot.train(longText);
    await untilStage(training, "text");
    const end = stream(training).then((response) => response.text());
    await remove(training.id);
    assert.equal(readEvents(await end).at(-1)!.event, "cancelled");
    await assertProblem(await chatbot.call(`models/${training.id}`), 410, "model_deleted");
  });

  it("with the last model deleted there is none", async () => {
    const { models } = await chatbot.get<{ models: ModelReply[] }>("models");
    for (const { id } of models) await remove(id);
    await assertProblem(await chatbot.say(question), 400, "no_model");
    assert.deepEqual(await chatbot.get("models"), { models: [] });
    const training = await chatbot.train(answer("four"));
    assert.equal((await trained(caigun, training)).status, "ready");
    assert.equal((await chatbot.ask(question)).text, answer("four"));
  });
});
