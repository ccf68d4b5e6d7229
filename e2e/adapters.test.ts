import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { exportGgufModel, openBase, readGgufAdapter } from "@caigun/lora";
import { type RunningCaigun, runCommand, startCaigun, stopCommand, tinyGpt2, trained } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply } from "../testkit/chatbot.ts";
import { manual } from "../testkit/manual.ts";

const run = promisify(execFile);
const title = 'Manual / "Büro" 辦公室';

describe("an adapter is taken away", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  let model: ModelReply;
  let folder: string;
  let base: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "caigun-adapters-"));
    base = join(folder, "tiny-gpt2");
    await cp(tinyGpt2, base, { recursive: true });
    caigun = await startCaigun({ env: { CAIGUN_GPT2_BASE: base } });
    chatbot = new Chatbot(caigun);
    model = (await trained(caigun, await chatbot.train(manual(80), { title, model_name: "gpt2" }))) as ModelReply;
    assert.equal(model.status, "ready", JSON.stringify(model));
  });
  after(async () => {
    await caigun.remove();
    await rm(folder, { recursive: true, force: true });
  });

  async function taken(format: string): Promise<{ bytes: Buffer; headers: Headers }> {
    const response = await chatbot.call(`models/${model.id}/adapter?format=${format}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, bytes.toString("utf8", 0, 500));
    assert.equal(Number(response.headers.get("content-length")), bytes.length);
    return { bytes, headers: response.headers };
  }
  const workFiles = async () =>
    (await readdir(join(caigun.home, "work"), { recursive: true })).filter((name) => name.includes("export"));

  it("for llama.cpp, as it is stored", async () => {
    const { bytes, headers } = await taken("gguf");
    assert.equal(headers.get("content-type"), "application/octet-stream");
    const path = join(folder, "adapter.gguf");
    await writeFile(path, bytes);
    const opened = await openBase(base);
    const adapter = readGgufAdapter(path, opened);
    opened.close();
    assert(
      adapter.targets.some(({ b }) => b.some((value) => value !== 0)),
      "something was learned",
    );
    const facts = model.adapter as { r: number; alpha: number; base_digest: string };
    assert.deepEqual([adapter.r, adapter.alpha, facts.base_digest], [facts.r, facts.alpha, opened.digest]);
  });

  it("for PEFT, as an archive that says what it is, under a name in any script", async () => {
    const { bytes, headers } = await taken("peft");
    assert.equal(headers.get("content-type"), "application/zip");
    assert.equal(
      headers.get("content-disposition"),
      `attachment; filename="Manual B_ro ___-peft.zip"; filename*=UTF-8''Manual%20B%C3%BCro%20%E8%BE%A6%E5%85%AC%E5%AE%A4-peft.zip`,
    );
    const path = join(folder, "peft.zip");
    await writeFile(path, bytes);
    const names = ["README.md", "adapter_config.json", "adapter_model.safetensors"];
    const read = async (name: string) => (await run("unzip", ["-p", path, name], { encoding: "buffer" })).stdout;
    const { stdout } = await run("unzip", ["-Z1", path]);
    assert.deepEqual(stdout.trim().split("\n"), names);
    const config = JSON.parse((await read("adapter_config.json")).toString());
    assert.deepEqual([config.peft_type, config.base_model_name_or_path], ["LORA", "tiny-gpt2"]);
    const card = (await read("README.md")).toString();
    const facts = model.adapter as { data_digest: string; base_digest: string; held_out_loss: number };
    for (const fact of [facts.data_digest, facts.base_digest, facts.held_out_loss.toFixed(4), "Büro", "learning rate"])
      assert(card.includes(fact), `${fact} in ${card}`);
    assert(!card.includes(folder), "no folder of this machine");
    const numbers = await read("adapter_model.safetensors");
    const header = JSON.parse(numbers.toString("utf8", 8, 8 + Number(numbers.readBigUInt64LE())));
    assert.equal(Object.keys(header).length - 1, 2 * 2 * 4, "A and B of four layers in two blocks");
    const { bytes: again } = await taken("peft");
    assert(again.equals(bytes), "the same model gives the same archive");
  });

  it("merged, as one model", async () => {
    const { bytes } = await taken("merged-gguf");
    const [path, stored, expected] = ["merged.gguf", "stored.gguf", "expected.gguf"].map((name) => join(folder, name));
    await writeFile(path!, bytes);
    await writeFile(stored!, (await taken("gguf")).bytes);
    const opened = await openBase(base);
    await exportGgufModel(opened, expected!, { adapter: readGgufAdapter(stored!, opened), name: title });
    opened.close();
    assert(bytes.equals(await readFile(expected!)));
    assert.deepEqual(await workFiles(), [], "nothing is left where it was made");
  });

  it("to several at a time, and nothing is left of one that hung up", async () => {
    const all = await Promise.all([taken("peft"), taken("merged-gguf"), taken("gguf"), taken("gguf")]);
    assert(all.every(({ bytes }) => bytes.length > 1_000));
    const hangingUp = new AbortController();
    const response = chatbot.call(`models/${model.id}/adapter?format=merged-gguf`, { signal: hangingUp.signal });
    hangingUp.abort();
    await assert.rejects(response);
    // It takes its turn behind whatever that left.
    await taken("merged-gguf");
    assert.deepEqual(await workFiles(), []);
    for (let round = 0; round < 3; round++) await Promise.all([taken("peft"), taken("merged-gguf")]);
  });

  it("to no more at a time than the disk is trusted with", async () => {
    const responses = await Promise.all(
      Array.from({ length: 6 }, () => chatbot.call(`models/${model.id}/adapter?format=peft`)),
    );
    const refused = responses.filter(({ status }) => status !== 200);
    assert(refused.length >= 1 && refused.length <= 4, `${refused.length} were refused`);
    for (const response of refused) {
      assert.equal(response.headers.get("retry-after"), "10");
      await assertProblem(response, 503, "overloaded");
    }
    for (const response of responses) if (response.status === 200) await response.arrayBuffer();
    await taken("peft");
  });

  it("by the command line, whole or not at all", async () => {
    const out = join(folder, "taken.gguf");
    const command = ["export", model.id, "--format", "gguf", "--out", out];
    const { exitCode, stdout, stderr } = await runCommand(caigun.home, command);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /taken\.gguf/);
    const { bytes } = await taken("gguf");
    assert((await readFile(out)).equals(bytes));

    const into = await runCommand(caigun.home, ["export", model.id, "--format", "peft", "--out", folder, "--json"]);
    const told = JSON.parse(into.stdout);
    const name = "Manual Büro 辦公室-peft.zip";
    assert.deepEqual(told, { model_id: model.id, format: "peft", path: join(folder, name), bytes: told.bytes });
    assert.equal((await readFile(join(folder, name))).length, told.bytes);
    assert.equal(into.stderr, "");

    const other = (await chatbot.ready("The office opens at nine.")).id;
    const refused = await runCommand(caigun.home, ["export", other, "--format", "gguf", "--out", join(folder, "none")]);
    assert.deepEqual([refused.exitCode, refused.stdout], [4, ""]);
    assert.match(refused.stderr, /has no adapter/);
    const nowhere = await runCommand(caigun.home, [...command.slice(0, 4), "--out", join(folder, "no", "where")]);
    assert.equal(nowhere.exitCode, 2);
    assert.equal((await runCommand(caigun.home, ["export", model.id, "--format", "onnx", "--out", out])).exitCode, 2);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => /none|part/.test(name)),
      [],
    );
  });

  it("by the command line, which leaves nothing where it is stopped", async () => {
    const into = await mkdtemp(join(folder, "stopped-"));
    const stopped = stopCommand(
      caigun.home,
      ["export", model.id, "--format", "merged-gguf", "--out", join(into, "model.gguf")],
      async () => (await readdir(into)).length > 0,
    );
    assert.deepEqual(await stopped, { exitCode: 1, signal: null, stderr: "Stopped.\n" });
    assert.deepEqual(await readdir(into), []);
    await taken("merged-gguf");
    assert.deepEqual(await workFiles(), []);
  });

  it("only where there is one", async () => {
    const plain = await chatbot.ready("The office opens at nine in the morning.");
    await assertProblem(await chatbot.call(`models/${plain.id}/adapter`), 404, "no_adapter");
    const short = await chatbot.train("Too short.", { model_name: "gpt2" });
    await trained(caigun, short);
    await assertProblem(await chatbot.call(`models/${short.id}/adapter`), 400, "model_not_ready");
    await assertProblem(await chatbot.call(`models/${model.id}/adapter?format=onnx`), 400, "validation_failed");
    const accept = { headers: { accept: "application/json" } };
    await assertProblem(await chatbot.call(`models/${model.id}/adapter`, accept), 406, "not_acceptable");
    const deleted = (await trained(caigun, await chatbot.train(manual(30), { model_name: "gpt2" }))) as ModelReply;
    assert.equal(deleted.status, "ready", JSON.stringify(deleted.failure));
    await chatbot.get(`models/${deleted.id}`, { method: "DELETE" });
    await assertProblem(await chatbot.call(`models/${deleted.id}/adapter`), 410, "model_deleted");
  });

  it("only where its base is: else it is said what brings it, without the machine's folders", async () => {
    const file = join(base, "model.safetensors");
    const aside = join(folder, "aside");
    await rename(file, aside);
    const missing = await chatbot.call(`models/${model.id}/adapter?format=peft`);
    const { detail } = await assertProblem(missing, 503, "base_missing");
    assert.match(detail, /SHA-256 [0-9a-f]{64}.*CAIGUN_GPT2_BASE/);
    assert(!detail.includes(folder));
    await taken("gguf");
    await copyFile(aside, file);
    await taken("peft");
    const config = await readFile(join(base, "config.json"), "utf8");
    await writeFile(join(base, "config.json"), config.replace('"n_head": 2', '"n_head": 3'));
    const refused = await chatbot.call(`models/${model.id}/adapter?format=peft`);
    const told = (await assertProblem(refused, 503, "base_missing")).detail;
    assert(!told.includes(folder), told);
    await writeFile(join(base, "config.json"), config);
  });
});
