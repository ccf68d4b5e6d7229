import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { exportGgufAdapter, exportGgufModel, openBase } from "@caigun/lora";
import type { LlamaContextSequence } from "node-llama-cpp";
import { randomAdapter } from "../../../../../testkit/lora-adapters.ts";
import { AdaptedModels } from "./adapted-models.ts";
import { writeAnswer } from "./write-answer.ts";

const question = { question: "When does it open?", passages: ["The office opens at nine."] };

describe("adapters on one base", () => {
  let folder: string;
  let base: string;
  let adapters: string[];
  let bytes: number;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "caigun-adapted-models-"));
    const opened = await openBase(
      fileURLToPath(new URL("../../../../../packages/lora/goldens/tiny-gpt2", import.meta.url)),
    );
    base = join(folder, "base.gguf");
    await exportGgufModel(opened, base, { type: "F16" });
    adapters = [1, 2, 3].map((seed) => join(folder, `${seed}.gguf`));
    for (const [at, path] of adapters.entries())
      await exportGgufAdapter(randomAdapter(opened, { r: 2, alpha: 400, seed: at + 1 }), path);
    opened.close();
    bytes = (await stat(adapters[0]!)).size;
  });
  after(() => rm(folder, { recursive: true }));

  function modelsWith(t: TestContext, limits: { contextBytes?: number; adapterBytes?: number }): AdaptedModels {
    const models = new AdaptedModels({ contextBytes: 1e9, adapterBytes: 1e9, threads: 1, ...limits });
    t.after(() => models.close());
    return models;
  }
  async function written(sequence: LlamaContextSequence): Promise<string> {
    let text = "";
    await writeAnswer(sequence, question, (piece) => {
      text += piece;
    });
    return text;
  }

  it("each write in their own words, whoever wrote between", async (t) => {
    const models = modelsWith(t, {});
    const first: string[] = [];
    for (const path of ["", ...adapters]) first.push(await written(await models.sequenceOf(base, path)));
    assert.equal(new Set(first).size, first.length, JSON.stringify(first));
    for (const [at, path] of ["", ...adapters].entries())
      assert.equal(await written(await models.sequenceOf(base, path)), first[at]);
  });

  it("are ready as many as memory allows: who was asked longest ago makes room, and one is always ready", async (t) => {
    const [a, b, c] = adapters as [string, string, string];
    const models = modelsWith(t, {});
    const { model } = await models.sequenceOf(base, a);
    const context = { contextSize: model.trainContextSize, batchSize: 128, sequences: 1, modelGpuLayers: 0 };
    const { cpuRam } = model.fileInsights.estimateContextResourceRequirements(context);

    const two = modelsWith(t, { contextBytes: 2.5 * cpuRam });
    const ofA = await two.sequenceOf(base, a);
    const ofB = await two.sequenceOf(base, b);
    assert.equal(await two.sequenceOf(base, a), ofA, "it is ready");
    await two.sequenceOf(base, c);
    assert.deepEqual([ofA.disposed, ofB.disposed], [false, true]);

    const one = modelsWith(t, { contextBytes: 1 });
    const alone = await one.sequenceOf(base, a);
    assert.equal(await one.sequenceOf(base, a), alone);
    await one.sequenceOf(base, b);
    assert.equal(alone.disposed, true);
  });

  it("are in memory as many as may be: then the base is opened anew", async (t) => {
    const [a, b, c] = adapters as [string, string, string];
    const models = modelsWith(t, { adapterBytes: 2 * bytes });
    const { model } = await models.sequenceOf(base, a);
    assert.equal((await models.sequenceOf(base, b)).model, model);
    assert.equal((await models.sequenceOf(base, a)).model, model);
    assert.equal((await models.sequenceOf(base, "")).model, model, "without an adapter there is nothing to load");
    const anew = await models.sequenceOf(base, c);
    assert.notEqual(anew.model, model);
    assert.equal(model.disposed, true);
    assert.match(await written(anew), /./s);
  });
});
