import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Evaluation } from "@caigun/contract";
import { type RunningCaigun, runCommand, startCaigun } from "../testkit/caigun.ts";
import { Chatbot } from "../testkit/chatbot.ts";
import { assertShape } from "../testkit/shapes.ts";

const text =
  "The library opens at nine in the morning. Borrowed books must be returned within three weeks.\n\n" +
  "Coffee is sold downstairs until evening. Lockers require a coin of two euros.";
const shape = {
  sentences: "number",
  sentences_found: "number",
  clozes: "number",
  clozes_answered: "number",
  foreign: "number",
  foreign_refused: "number",
} as const;

describe("a model's check of itself", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun();
  });
  after(() => caigun.remove());

  it("stands on the model, beside that of the ready model before it", async () => {
    const chatbot = new Chatbot(caigun);
    const first = await chatbot.ready(text, "First");
    const evaluation = first.evaluation as Evaluation;
    assertShape(evaluation, { fields: { self_check: { fields: shape }, previous: "object|null" } });
    assert.equal(evaluation.previous, null);
    assert.equal(evaluation.self_check?.sentences, evaluation.self_check?.sentences_found);
    assert.ok(evaluation.self_check!.sentences > 0 && evaluation.self_check!.foreign > 0);

    const second = await chatbot.ready(`${text}\n\nPhotographs need permission from the director.`, "Second");
    const { previous } = second.evaluation as Evaluation;
    assert.deepEqual(previous, { model_id: first.id, ...evaluation.self_check });
  });

  it("is told when a training was waited for, and in the list of models", async () => {
    const file = join(caigun.home, "rooms.txt");
    await writeFile(file, text);
    const trained = await runCommand(caigun.home, ["train", file, "--title", "Rooms", "--wait"]);
    assert.match(trained.stdout, /^It answers \d+ of \d+ questions made from your text/m);
    assert.match(trained.stdout, /^It refuses \d+ of \d+ questions about other things/m);
    const listed = await runCommand(caigun.home, ["models"]);
    assert.match(listed.stdout, /^\S+ +Rooms .* \d+ of \d+, \d+ of \d+$/m);
  });
});
