import assert from "node:assert/strict";
import { link, mkdir, mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeHome, startCaigun } from "../caigun.ts";
import { Chatbot } from "../chatbot.ts";
import { untilLearned } from "../learning.ts";
import { serveLocally } from "../local-server.ts";
import { manual } from "../manual.ts";
import { weightsForTests } from "../weights.ts";

const NAME = "smollm2-135m-instruct-q4_1";
const weights = await weightsForTests(NAME);
const skip = "missing" in weights ? weights.missing : false;

test("gpt2 is trained on the second base where its own weights can't be had, and the event says so", {
  skip,
}, async (t) => {
  assert("files" in weights);
  const hub = await serveLocally(t, (_request, response) => response.writeHead(404).end());
  const { path } = weights.files["model.gguf"]!;
  const home = await makeHome();
  // Without gpt2, also where another test has brought it. On the same disk, where a link costs nothing.
  const own = await mkdtemp(join(weights.folder, ".only-second-"));
  t.after(() => rm(own, { recursive: true }));
  await mkdir(join(own, NAME));
  await link(path, join(own, NAME, basename(path)));
  const env = { CAIGUN_GPT2_BASE: "", CAIGUN_WEIGHTS: own, CAIGUN_HUGGING_FACE_URL: hub, CAIGUN_EMBEDDER: "none" };
  const caigun = await startCaigun({ home, env });
  t.after(() => caigun.remove());
  const chatbot = new Chatbot(caigun);
  const training = await chatbot.train(manual(40), { model_name: "gpt2" });
  const { base, base_because: because } = await untilLearned(chatbot, training, 1);
  assert.equal(base, NAME);
  assert.match(because!, /^config\.json of gpt2 can't be fetched\. .*caigun pull gpt2 --from PATH/);
  assert(!because!.includes(new URL(hub).host), because!);
  assert.equal((await chatbot.call(`models/${training.id}/cancel`, { method: "POST" })).status, 200);
});
