import assert from "node:assert/strict";
import { link, mkdir, mkdtemp, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeHome, startCaigun, trained } from "../caigun.ts";
import { Chatbot } from "../chatbot.ts";
import { untilLearned } from "../learning.ts";
import { serveLocally } from "../local-server.ts";
import { manual } from "../manual.ts";
import { weightsForTests } from "../weights.ts";

const NAME = "smollm2-135m-instruct-q4_1";
const weights = await weightsForTests(NAME);
const skip = "missing" in weights ? weights.missing : false;

test("gpt2 is trained on the second base where its own weights can't be had, and event, model, card and reply say so", {
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
  const training = await chatbot.train(manual(20), { model_name: "gpt2" });
  const { base, base_because: because } = await untilLearned(chatbot, training, 1);
  assert.equal(base, NAME);
  assert.match(because!, /^config\.json of gpt2 can't be fetched\. .*caigun pull gpt2 --from PATH/);
  assert(!because!.includes(new URL(hub).host), because!);
  const model = await trained(caigun, training);
  assert.equal(model.status, "ready", JSON.stringify(model.failure));
  assert.deepEqual([model.base, (model.adapter as { base_because: string }).base_because], [NAME, because]);
  const reply = await chatbot.ask("When does the library on floor 7 open?");
  assert.deepEqual([reply.base, reply.base_because], [NAME, because]);
  const archive = await chatbot.call(`models/${training.id}/adapter?format=peft`);
  assert.equal(archive.status, 200);
  const zip = Buffer.from(await archive.arrayBuffer());
  // The archive is stored, not compressed, so that its card can be read as it is.
  assert(zip.includes(because!), "the card says so");
});
