import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import type { FieldProblem } from "@caigun/contract";
import { type RunningCaigun, runCommand, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, type Chatbot, type CitationReply, newChatbot, openHouse } from "../testkit/chatbot.ts";
import { assertShape } from "../testkit/shapes.ts";

const text =
  "The office opens at nine in the morning. Parking costs three euros an hour.\n\n" +
  "The canteen serves soup on Mondays. Visitors sign in at the front desk.";

type Unanswered = {
  id: string;
  question: string;
  questions: string[];
  count: number;
  last_asked_at: string;
  closest: CitationReply[];
};

describe("the list of unanswered questions", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun();
  });
  after(() => caigun.remove());

  async function trainedChatbot(): Promise<Chatbot> {
    await using house = await openHouse(caigun);
    const chatbot = await newChatbot(caigun, house);
    await chatbot.ready(text);
    return chatbot;
  }
  const list = async (chatbot: Chatbot, query = "") =>
    (await chatbot.get<{ unanswered: Unanswered[] }>(`unanswered${query}`)).unanswered;
  const answer = (chatbot: Chatbot, id: string, text: string, headers = {}) =>
    chatbot.call(`unanswered/${id}/answer`, { method: "POST", json: { text }, headers });
  const ask = (chatbot: Chatbot, question: string) => chatbot.ask(question, { uid: randomUUID() });

  it("holds what was refused, alike ones as one, and answers all of them after the next training", async () => {
    const chatbot = await trainedChatbot();
    const wordings = ["Do you sell gift vouchers?", "do you sell gift vouchers", "Gift vouchers: do you sell any?"];
    for (const wording of wordings) assert.equal((await ask(chatbot, wording)).answered, false);
    await ask(chatbot, "Who painted the ceiling of the chapel?");
    await ask(chatbot, "When does the office open?");
    await ask(chatbot, "hello!");

    const [vouchers, ceiling, ...others] = await list(chatbot);
    assert(vouchers && ceiling);
    assert.deepEqual(others, [], "nothing that was answered");
    assert.deepEqual([vouchers.count, vouchers.question], [3, wordings.at(-1)]);
    assert.deepEqual(vouchers.questions, wordings.toReversed());
    assert.equal(ceiling.count, 1);
    assertShape(vouchers, { fields: { id: "uuid", last_asked_at: "time", closest: { list: "object" } } });
    await assertProblem(await chatbot.call("unanswered?limit=101"), 400, "validation_failed");
    assert.deepEqual(
      (await list(chatbot, "?offset=1&limit=1")).map(({ id }) => id),
      [ceiling.id],
    );

    const correction = "Yes: vouchers of any value are sold at the front desk.";
    const stored = await answer(chatbot, vouchers.id, correction);
    const { training_data_id } = (await stored.json()) as { training_data_id: string };
    const data = await chatbot.get<{ title: string; text: string }>(`training_data/${training_data_id}/text`);
    assert.equal(data.title, vouchers.question);
    assert.equal(data.text.split("\n\n").length, 3, "one question and answer for each wording");
    assert.deepEqual(
      (await list(chatbot)).map(({ id }) => id),
      [ceiling.id],
    );
    assert.equal((await ask(chatbot, wordings[0]!)).answered, false, "until it is trained");
    assert.equal((await list(chatbot)).length, 1, "and it stays off the list until then");

    await chatbot.ready(text);
    for (const wording of wordings) {
      const reply = await ask(chatbot, wording);
      assert.equal(reply.text, correction, wording);
      assert.equal(reply.citations[0]?.training_data_id, training_data_id);
      assert.equal(reply.citations[0]?.quote, correction);
    }
    assert.match((await ask(chatbot, "When does the office open?")).text, /nine/, "its own text is there too");
  });

  it("cites what came closest, as long as that is not deleted", async () => {
    const chatbot = await trainedChatbot();
    const { id } = await chatbot.ready(text);
    const question = "Does the canteen of the other house have vegetarian dishes without garlic for small children?";
    await chatbot.get("settings", { method: "PATCH", json: { strictness: "high" } });
    assert.equal((await ask(chatbot, question)).answered, false);
    const [group] = await list(chatbot);
    assert.match(group?.closest[0]?.quote ?? "", /canteen/);
    await chatbot.get(`models/${id}`, { method: "DELETE" });
    assert.deepEqual((await list(chatbot))[0]?.closest, []);
  });

  it("takes a later answer for the earlier one, and asks no model older than it for it", async () => {
    const chatbot = await trainedChatbot();
    const question = "Which wine goes with grilled trout?";
    await ask(chatbot, question);
    const [group] = await list(chatbot);
    assert(group);
    await answer(chatbot, group.id, "Riesling.");
    await answer(chatbot, group.id, "A dry Riesling, says our cook.");
    await chatbot.ready(text);
    const corrected = await ask(chatbot, question);
    assert.equal(corrected.text, "A dry Riesling, says our cook.");
    assert.deepEqual(await list(chatbot), []);

    const { models } = await chatbot.get<{ models: { id: string }[] }>("models");
    await chatbot.get("model_id", { method: "PATCH", json: { id: models[1]!.id } });
    await ask(chatbot, question);
    assert.deepEqual(await list(chatbot), [], "that model is older than the answer");
  });

  it("lets go of a question that is dropped, until it is asked again", async () => {
    const chatbot = await trainedChatbot();
    await ask(chatbot, "Who is the mayor?");
    const [group] = await list(chatbot);
    assert(group);
    await chatbot.get(`unanswered/${group.id}`, { method: "DELETE" });
    assert.deepEqual(await list(chatbot), []);
    await assertProblem(
      await chatbot.call(`unanswered/${group.id}`, { method: "DELETE" }),
      404,
      "unanswered_not_found",
    );
    await assertProblem(await answer(chatbot, group.id, "Nobody."), 404, "unanswered_not_found");
    await assertProblem(await answer(chatbot, randomUUID(), " "), 400, "validation_failed");
    await ask(chatbot, "Who is the mayor?");
    assert.equal((await list(chatbot))[0]?.count, 1);
  });

  it("takes no answer without a word in it, and says so", async () => {
    const chatbot = await trainedChatbot();
    await ask(chatbot, "Is there a piano?");
    const [group] = await list(chatbot);
    assert(group);
    for (const [text, said] of [
      ["👍", /a word or a number/],
      ["...!", /a word or a number/],
      ["\u200b\u2060", /a word or a number/],
      [" \n ", /more than white space/],
    ] as const) {
      const { errors, detail } = await assertProblem(await answer(chatbot, group.id, text), 400, "validation_failed");
      assert.deepEqual(
        errors?.map((error) => (error as FieldProblem).loc),
        [["body", "text"]],
        text,
      );
      assert.match(detail, said);
    }
    for (const text of ["Yes 👍", "24", "有"]) assert.equal((await answer(chatbot, group.id, text)).status, 200, text);
    await chatbot.ready(text);
    assert.equal((await ask(chatbot, "Is there a piano?")).text, "有");
  });

  it("stores a repeated answer once for its Idempotency-Key", async () => {
    const chatbot = await trainedChatbot();
    await ask(chatbot, "Are there lockers for skis?");
    const [group] = await list(chatbot);
    assert(group);
    const key = { "idempotency-key": randomUUID() };
    const first = await (await answer(chatbot, group.id, "Yes.", key)).text();
    assert.equal(await (await answer(chatbot, group.id, "Yes.", key)).text(), first);
    await assertProblem(await answer(chatbot, group.id, "No.", key), 400, "idempotency_key_reused");
  });

  it("notes a follow-up as what was meant", async () => {
    const chatbot = await trainedChatbot();
    const uid = randomUUID();
    await chatbot.ask("Is there a sauna on the roof?", { uid });
    await chatbot.ask("and a pool?", { uid });
    assert((await list(chatbot)).some(({ question }) => question === "Is there a pool on the roof?"));
  });

  it("is shown and answered by the command line", async () => {
    const chatbot = await trainedChatbot();
    const run = (...args: string[]) => runCommand(caigun.home, ["unanswered", ...args, "--api-key", chatbot.apiKey]);
    assert.match((await run()).stdout, /^Nothing/);
    await ask(chatbot, "誰發現了鐳？");
    assert.match((await run()).stdout, /誰發現了鐳？/);
    const { unanswered } = JSON.parse((await run("--json")).stdout) as { unanswered: Unanswered[] };
    const id = unanswered[0]!.id;
    const stored = JSON.parse((await run("answer", id, "居禮夫婦。", "--json")).stdout);
    assertShape(stored, { fields: { training_data_id: "uuid" } });
    assert.match((await run()).stdout, /^Nothing/);
    await ask(chatbot, "Who painted\n\u001b[2J\u001b]0;owned\u0007 the ceiling\u202e?");
    const shown = (await run()).stdout;
    assert.match(shown, /Who painted \ufffd\[2J\ufffd\]0;owned\ufffd the ceiling\ufffd\?/);
    assert.equal(shown.trimEnd().split("\n").length, 2, "what a stranger wrote is shown on its line, and not obeyed");
    const unknown = await run("drop", randomUUID());
    assert.equal(unknown.exitCode, 4);
    assert.match(unknown.stderr, /no unanswered question/);
  });
});
