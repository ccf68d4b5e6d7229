import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot } from "../testkit/chatbot.ts";
import { serveLocally } from "../testkit/local-server.ts";
import { manual } from "../testkit/manual.ts";

type Failure = { stage: string; cause: string; fix: string };

describe("gpt2 without a base", () => {
  async function failure(t: TestContext, env: Record<string, string>): Promise<Failure> {
    const caigun = await startCaigun({ env });
    t.after(() => caigun.remove());
    const model = await trained(caigun, await new Chatbot(caigun).train(manual(40), { model_name: "gpt2" }));
    assert.equal(model.status, "failed");
    assert.deepEqual([model.base, model.adapter], [null, null]);
    return model.failure as Failure;
  }

  it("says that the file that was named is no model, and not where it stands", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "caigun-no-model-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, "notes.gguf");
    await writeFile(file, "These are notes and no model.");
    const { stage, cause, fix } = await failure(t, { CAIGUN_GPT2_BASE: file });
    assert.equal(stage, "learn");
    assert.match(cause, /^The base model can't be used: notes\.gguf begins neither as/);
    assert(!cause.includes(folder), cause);
    assert.match(fix, /CAIGUN_GPT2_BASE/);
  });

  it("says in strict mode what brings gpt2 where it can't be had", async (t) => {
    let requests = 0;
    const hub = await serveLocally(t, (_request, response) => {
      requests++;
      response.writeHead(404).end();
    });
    const env = { CAIGUN_STRICT_ENGINES: "1", CAIGUN_GPT2_BASE: "", CAIGUN_HUGGING_FACE_URL: hub };
    const { stage, cause, fix } = await failure(t, env);
    assert.equal(stage, "learn");
    assert.match(cause, /gpt2 can't be fetched.*caigun pull gpt2 --from PATH/);
    assert.match(fix, /npx caigun pull/);
    assert(!cause.includes(new URL(hub).host), cause);
    assert.equal(requests, 1, "what is not there is not there a moment later");
  });
});
