import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeHome, type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ConversationReply, type ErrorReply } from "../testkit/chatbot.ts";
import { processesOf } from "../testkit/processes.ts";

const model = (name: string) => fileURLToPath(new URL(`../packages/lora/goldens/${name}`, import.meta.url));
const prices = Array.from(
  { length: 40 },
  (_, at) => `Room ${at + 1} costs ${30 + at} euros a night and sleeps ${1 + (at % 4)} people.`,
);
const text = `${prices.join(" ")}\n\nThe office opens at nine in the morning and closes at five.`;
const question = "When does the office open?";

/** The models are as small as can be: what they write is never supported, so that the text's own sentence is the reply. */
describe("a chatbot with an adapter", () => {
  let [caigun, chatbot]: [RunningCaigun, Chatbot] = [] as never;
  let base: string;
  before(async () => {
    base = await mkdtemp(join(tmpdir(), "caigun-base-"));
    await cp(model("tiny-gpt2"), base, { recursive: true });
    caigun = await startCaigun({ home: await makeHome(), env: { CAIGUN_GPT2_BASE: base } });
    chatbot = new Chatbot(caigun);
    const { status } = await trained(caigun, await chatbot.train(text, { model_name: "gpt2" }));
    assert.equal(status, "ready");
  });
  after(async () => {
    await caigun.remove();
    await rm(base, { recursive: true });
  });

  it("sends no sentence that the text does not hold, and says who wrote and what became of it", async () => {
    const reply = await chatbot.ask(question, { query: "?explain=true" });
    assert.equal(reply.text, "The office opens at nine in the morning and closes at five.");
    assert.deepEqual([reply.engine, reply.wording?.writer, reply.wording?.sent], ["local-reader", "lora", 0]);
    assert.match(reply.wording!.outcome, /^(unsupported|unfinished|declined)$/);
  });

  it("replies when the writing process is killed under it, and has another one write the next time", async () => {
    const writing = async () =>
      (await processesOf(caigun.process.pid!)).find(({ command }) => command.includes("lora/talk-child"));
    const first = await writing();
    assert(first, "the first reply started a process that writes");
    process.kill(first.pid, "SIGKILL");
    for (let turn = 0; turn < 2; turn++) {
      const reply = await chatbot.ask(question, { uid: `after-${turn}`, query: "?explain=true" });
      assert.match(reply.text, /opens at nine/);
    }
    const second = await writing();
    assert(second && second.pid !== first.pid);
  });

  it("quotes alone where its writer is set to none", async () => {
    await chatbot.get("settings", { method: "PATCH", json: { writer: "none" } });
    const reply = await chatbot.ask(question, { uid: "none", query: "?explain=true" });
    assert.equal(reply.wording, undefined);
    await chatbot.get("settings", { method: "PATCH", json: { writer: null } });
  });

  it("quotes in strict mode too where what was written is of no use: its writer was reached", async () => {
    await caigun.stop();
    caigun = await startCaigun({ home: caigun.home, env: { CAIGUN_GPT2_BASE: base, CAIGUN_STRICT_ENGINES: "1" } });
    const strict = new Chatbot(caigun, chatbot.apiKey);
    const reply = await strict.ask(question, { uid: "strict", query: "?explain=true" });
    assert.match(reply.text, /opens at nine/);
    assert.deepEqual([reply.engine, reply.wording?.writer, reply.wording?.sent], ["local-reader", "lora", 0]);
  });

  it("is not written with a base that it was not trained on, and in strict mode does not reply", async () => {
    await caigun.stop();
    await rm(base, { recursive: true });
    await cp(model("tiny-llama"), base, { recursive: true });
    for (const strict of [false, true]) {
      caigun = await startCaigun({
        home: caigun.home,
        env: { CAIGUN_GPT2_BASE: base, ...(strict && { CAIGUN_STRICT_ENGINES: "1" }) },
      });
      const again = new Chatbot(caigun, chatbot.apiKey);
      const response = await again.call("conversation?explain=true", {
        method: "POST",
        headers: { uid: `base-${strict}` },
        json: { text: question },
      });
      const body = (await response.json()) as ConversationReply & ErrorReply;
      if (!strict)
        assert.deepEqual([response.status, body.engine, body.wording?.outcome], [200, "local-reader", "refused"]);
      else assert.deepEqual([response.status, body.code], [503, "unavailable"]);
      await caigun.stop();
    }
    caigun = await startCaigun({ home: caigun.home, env: { CAIGUN_GPT2_BASE: base } });
  });
});
