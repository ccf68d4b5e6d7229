import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { manifest } from "@caigun/weights";
import { describedModel } from "../packages/lora/base/hugging-face-config.ts";
import { expectedTensors } from "../packages/lora/base/tensor-names.ts";
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

  it("says that a base needs more memory than a training may take, and tries no second time", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "caigun-large-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeLargeBase(folder);
    const { stage, cause, fix } = await failure(t, { CAIGUN_GPT2_BASE: folder });
    assert.equal(stage, "learn");
    assert.match(cause, /^The training needs about \d+ MB of memory, and 2000 MB may be taken\.$/);
    assert.equal(fix, "Choose a smaller base (CAIGUN_GPT2_BASE).");
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

/** A GPT-2 of 800 million parameters, all zero, which take no room on the disk. */
async function writeLargeBase(folder: string): Promise<void> {
  await cp(join(tinyGpt2, "tokenizer.json"), join(folder, "tokenizer.json"));
  const config = JSON.parse(await readFile(join(tinyGpt2, "config.json"), "utf8"));
  const large = { ...config, n_embd: 4_096, n_head: 32, n_layer: 4 };
  await writeFile(join(folder, "config.json"), JSON.stringify(large));
  const { architecture } = describedModel(large, "config.json");
  const tensors: Record<string, unknown> = {};
  let end = 0;
  for (const { huggingFace, shape, isConv1d, isOptional } of expectedTensors(architecture)) {
    if (isOptional) continue;
    const bytes = 2 * shape.reduce((product, size) => product * size, 1);
    const kept = isConv1d ? shape.toReversed() : shape;
    tensors[huggingFace] = { dtype: "F16", shape: kept, data_offsets: [end, end + bytes] };
    end += bytes;
  }
  const header = Buffer.from(JSON.stringify(tensors));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const path = join(folder, "model.safetensors");
  await writeFile(path, Buffer.concat([length, header]));
  await truncate(path, 8 + header.length + end);
}
