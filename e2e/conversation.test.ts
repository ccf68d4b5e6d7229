import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import { Chatbot } from "../testkit/chatbot.ts";

const text =
  "The shop opens at ten on Saturdays. On Sundays the shop opens at noon.\n\n" +
  "A trailer costs nine euros a day. A child seat costs three euros a day.\n\n" +
  "Guided tours leave on Thursdays at five. The tours are led by Anna Berg.\n\n" +
  "茶館週六上午十點開門。茶館週日中午十二點開門。\n\n包廂低消三千元。一般座位低消兩百元。";

const explained = { query: "?explain=true" };

type Message = { receive: string; send: string; kwargs: Record<string, unknown> };

describe("a conversation", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    await chatbot.ready(text);
  });
  after(() => caigun.remove());

  const messages = async (uid: string) =>
    (await chatbot.get<{ messages: Message[] }>("messages", { headers: { uid } })).messages;

  it("begins and ends with what people say to each other, quoting nothing", async () => {
    const uid = "polite";
    for (const [said, reply] of [
      ["Hello there!", /^Hello!/],
      ["早安", /^您好/],
      ["thanks a lot, bye", /^Goodbye/],
    ] as const) {
      const { text, answered, citations, model_id } = await chatbot.ask(said, { uid, ...explained });
      assert.match(text, reply);
      assert.deepEqual([answered, citations], [true, []]);
      assert.match(model_id, /^[0-9a-f-]{36}$/);
    }
    const kinds = (await messages(uid)).map(({ kwargs }) => kwargs.small_talk);
    assert.deepEqual(kinds, ["farewell", "greeting", "greeting"]);
  });

  it("puts the greeting before a question aside", async () => {
    const reply = await chatbot.ask("Hi, what does a trailer cost? Thanks!", { uid: "both", ...explained });
    assert.equal(reply.question, "what does a trailer cost?");
    assert.match(reply.text, /nine euros/);
    assert.equal((await messages("both"))[0]?.receive, "Hi, what does a trailer cost? Thanks!");
  });

  it("takes a follow-up together with the question before it, and a follow-up of that too", async () => {
    const uid = "following up";
    assert.match((await chatbot.ask("When does the shop open on Saturdays?", { uid })).text, /ten/);
    const sunday = await chatbot.ask("and on Sundays?", { uid, ...explained });
    assert.equal(sunday.question, "When does the shop open on Sundays?");
    assert.match(sunday.text, /noon/);
    await chatbot.ask("thanks!", { uid });
    assert.match((await chatbot.ask("what about Saturdays?", { uid })).text, /ten/);
    const [last] = await messages(uid);
    assert.equal(last?.receive, "what about Saturdays?");
    assert.equal(last?.kwargs.question, "When does the shop open on Saturdays?");
  });

  it("does so in Chinese", async () => {
    const uid = "追問";
    const headers = { uid: Buffer.from(uid, "utf8").toString("latin1") };
    assert.match((await chatbot.ask("包廂低消多少？", { headers })).text, /三千元/);
    const seats = await chatbot.ask("那一般座位呢？", { headers, ...explained });
    assert.equal(seats.question, "一般座位低消多少？");
    assert.match(seats.text, /兩百元/);
  });

  it("takes a misspelt word for the text's own, and a follow-up leans on what was meant", async () => {
    const uid = "hasty";
    const typed = "When do the guidedd tuors leave?";
    const reply = await chatbot.ask(typed, { uid, ...explained });
    assert.equal(reply.question, "When do the guided tours leave?");
    assert.match(reply.text, /Thursdays at five/);
    const [message] = await messages(uid);
    assert.equal(message?.receive, typed);
    assert.equal(message?.kwargs.question, "When do the guided tours leave?");
    const right = await chatbot.ask("When do the guided tours leave?", { uid: "careful", ...explained });
    assert.match(right.text, /Thursdays at five/);
    assert.ok(reply.confidence! < right.confidence!, "what was put for another word counts a little less");
  });

  it("puts no word of the text for one that is right and that the text lacks", async () => {
    for (const asked of ["What does a trail cost?", "Who sells the tires?", "What does a trader cost?"])
      assert.equal((await chatbot.ask(asked, { uid: asked, ...explained })).question, asked);
  });

  it("leaves alone what stands alone, and what another conversation said", async () => {
    await chatbot.ask("What does a trailer cost?", { uid: "one" });
    const alone = await chatbot.ask("Who leads the tours?", { uid: "one", ...explained });
    assert.equal(alone.question, "Who leads the tours?");
    const elsewhere = await chatbot.ask("and on Sundays?", { uid: "two", ...explained });
    assert.equal(elsewhere.question, "and on Sundays?");
  });
});
