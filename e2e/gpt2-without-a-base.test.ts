import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { manifest } from "@caigun/weights";
import { startCaigun, tinyGpt2, trained } from "../testkit/caigun.ts";
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
    const attempts = caigun.log.filter((line) => line.includes("training failed"));
    assert.equal(attempts.length, 1, "what no second attempt could change is not tried again");
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

  it("says that the file that was fetched is not what it was any more", async (t) => {
    const weights = await mkdtemp(join(tmpdir(), "caigun-damaged-"));
    t.after(() => rm(weights, { recursive: true, force: true }));
    await mkdir(join(weights, "gpt2"));
    for (const [file, [{ sha256 }]] of Object.entries(manifest.gpt2.files))
      await cp(join(tinyGpt2, file), join(weights, "gpt2", `${sha256.slice(0, 16)}-${file}`));
    const { stage, cause } = await failure(t, { CAIGUN_GPT2_BASE: "gpt2", CAIGUN_WEIGHTS: weights });
    assert.equal(stage, "learn");
    assert.match(cause, /model\.safetensors has the SHA-256 [0-9a-f]{64} instead of [0-9a-f]{64}: it is damaged\./);
    assert(!cause.includes(weights), cause);
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
