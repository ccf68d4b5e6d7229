import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdapterFacts } from "@caigun/contract";
import { readHandbook } from "../../eval/handbooks.ts";
import { startCaigun, trained } from "../caigun.ts";
import { Chatbot, type ModelReply } from "../chatbot.ts";
import { smolLm2 } from "./smollm2.ts";

/** Of the questions, so many are at least worded by the adapter: less, and what it learned is not the form it is asked in. */
const LEAST_WORDED = 4;

test("what gpt2 learned of a handbook words the replies, in sentences that the handbook holds", async (t) => {
  const caigun = await startCaigun({ env: { CAIGUN_GPT2_BASE: await smolLm2() } });
  t.after(() => caigun.remove());
  const chatbot = new Chatbot(caigun);
  const { text, questions } = readHandbook("bicycle-works");
  const training = await chatbot.train(text, { model_name: "gpt2" });
  const model = (await trained(caigun, training)) as ModelReply;
  assert.equal(model.status, "ready", JSON.stringify(model.failure));
  const { held_out_loss_before: before, held_out_loss: after } = model.adapter as AdapterFacts;
  t.diagnostic(`held-out loss ${before} to ${after}`);
  assert(after! < before!);
  let worded = 0;
  const answerable = questions.filter(({ answer }) => answer !== null).filter((_, at) => at % 3 === 0);
  for (const { question } of answerable) {
    const reply = await chatbot.ask(question, { query: "?explain=true" });
    if (reply.engine !== "lora") continue;
    worded++;
    assert.equal(reply.wording?.outcome, "written");
    for (const { quote } of reply.citations) assert(text.includes(quote), quote);
    t.diagnostic(`${question} ${reply.text}`);
  }
  t.diagnostic(`${worded} of ${answerable.length} replies are the adapter's words`);
  assert(worded >= LEAST_WORDED, `${worded} of ${answerable.length}`);
});
