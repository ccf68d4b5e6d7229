import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeHome, type RunningCaigun, runCommand, startCaigun, stopCommand, tinyGpt2 } from "../testkit/caigun.ts";
import { manual } from "../testkit/manual.ts";

describe("the command line beside a running server", () => {
  let caigun: RunningCaigun;
  let handbook: string;
  before(async () => {
    caigun = await startCaigun();
    handbook = join(caigun.home, "handbook.txt");
    await writeFile(handbook, "The office opens at nine in the morning.\n\nParking costs three euros an hour.");
  });
  after(() => caigun.remove());

  const run = (...args: string[]) => runCommand(caigun.home, args);
  async function json(...args: string[]) {
    const { exitCode, stdout, stderr } = await run(...args, "--json");
    assert.equal(exitCode, 0, stderr + stdout);
    return JSON.parse(stdout);
  }

  it("trains on files, talks and lists models", async () => {
    const trained = await json("train", handbook, "--title", "Handbook", "--wait");
    assert.equal(trained.status, "ready");
    const reply = await json("talk", "When does the office open?");
    assert.equal(reply.text, "The office opens at nine in the morning.");
    assert.equal(reply.citations[0].start, 0);
    const { models } = await json("models");
    assert.deepEqual([models[0].id, models[0].title], [trained.id, "Handbook"]);

    const forPeople = await run("talk", "When does the office open?");
    assert.match(
      forPeople.stdout,
      /^The office opens at nine in the morning\.\n {2}\[Handbook, characters 0 to 40\]\n$/,
    );
  });

  it("joins several files, and shows its progress on standard error alone", async () => {
    const prices = join(caigun.home, "prices.txt");
    await writeFile(prices, "A bicycle costs 300 euros.");
    const { exitCode, stdout, stderr } = await run("train", handbook, prices, "--title", "Both", "--wait");
    assert.equal(exitCode, 0);
    assert.match(stdout, /^Model \S+ is ready/);
    assert.match(stderr, /100%/);
    assert.match((await json("talk", "What does a bicycle cost?")).text, /300 euros/);
  });

  it("makes chatbots and keys, shows their use, and revokes them", async () => {
    const made = await json("chatbot", "create", "Shop");
    assert.match(made.api_key, /^cgk_/);
    assert.equal((await caigun.call("/api/external/chatbot/models", { apiKey: made.api_key })).status, 200);
    const { chatbots } = await json("chatbot", "list");
    assert.deepEqual([chatbots[0].id, chatbots[0].title], [made.chatbot_id, "Shop"]);

    const second = await json("key", "create", "--chatbot", made.chatbot_id, "--name", "website");
    const { keys } = await json("key", "list", "--chatbot", made.chatbot_id);
    assert.deepEqual([keys[0].name, keys[0].last_used_at], ["website", null]);
    assert.notEqual(keys[0].key, second.api_key);
    const revealed = await json("key", "list", "--chatbot", made.chatbot_id, "--reveal");
    assert.deepEqual(
      revealed.keys.map(({ key }: { key: string }) => key),
      [second.api_key, made.api_key],
    );

    await json("key", "revoke", second.key_id, "--chatbot", made.chatbot_id);
    assert.equal((await caigun.call("/api/external/chatbot/models", { apiKey: second.api_key })).status, 401);
    assert.equal((await caigun.call("/api/external/chatbot/models", { apiKey: made.api_key })).status, 200);
    assert.equal((await run("key", "revoke", second.key_id, "--chatbot", made.chatbot_id)).exitCode, 4);
  });

  it("says why a training failed, with exit code 1", async () => {
    const { exitCode, stderr } = await run("train", handbook, "--title", "GPT-2", "--model", "gpt2", "--wait");
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^The training failed\. The text has \d+ tokens, and a language model needs 256.*model_name "PaLM2" \(`--model PaLM2`\)/m,
    );
    const listed = (await run("models")).stdout.split("\n");
    assert.match(listed.find((line) => line.includes(" GPT-2 ")) ?? "", / failed +\S+ +lora$/);
    assert(listed.some((line) => /^\S+ failed: The text has \d+ tokens/.test(line)));
    const asJson = await run("train", handbook, "--title", "GPT-2", "--model", "gpt2", "--wait", "--json");
    assert.equal(JSON.parse(asJson.stdout).failure.stage, "learn");
  });

  it("trains gpt2, shows how the loss falls, and says on what it would", async () => {
    const long = join(caigun.home, "manual.txt");
    await writeFile(long, manual(100));
    const args = ["train", long, "--title", "Manual", "--model", "gpt2", "--wait"];
    const { exitCode, stdout, stderr } = await run(...args);
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /learned \d+ tokens on tiny-gpt2 in \d+ steps/);
    assert.match(stdout, /fell from \d\.\d\d to \d\.\d\d/);
    assert.match((await run("chatbot", "settings")).stdout, /^writer +its own weights \(gpt2\), on this machine$/m);
    const trained = await json(...args);
    assert.deepEqual([trained.status, trained.base], ["ready", "tiny-gpt2"]);
    assert(trained.adapter.held_out_loss < trained.adapter.held_out_loss_before);

    // What the server trains on, whatever this shell would.
    for (const shell of [{}, { CAIGUN_GPT2_BASE: long }]) {
      const listed = await runCommand(caigun.home, ["models"], shell);
      assert.match(listed.stdout, /Manual .* tiny-gpt2, \d\.\d\d to \d\.\d\d\n/);
      assert.match(listed.stdout, /gpt2 is trained on tiny-gpt2 \(\/.*\), which is on this machine\.\n$/);
    }
  });

  it("chooses, cancels and deletes models by the beginning of an id, and leaves the live one alone for a PDF", async () => {
    const { api_key: key } = await json("chatbot", "create", "Models");
    const own = (...args: string[]) => run(...args, "--api-key", key);
    const ownJson = (...args: string[]) => json(...args, "--api-key", key);
    const first = await ownJson("train", handbook, "--title", "First", "--wait");
    const second = await ownJson("train", handbook, "--title", "Second", "--wait");
    const current = async () =>
      (await ownJson("models")).models.find(({ is_current }: { is_current: boolean }) => is_current)?.id;
    assert.equal(await current(), second.id);

    const pdf = join(caigun.home, "doc.pdf");
    await writeFile(pdf, "%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n");
    const refused = await own("train", pdf, "--title", "PDF", "--wait");
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /doc\.pdf is a PDF file\. Save .* plain text in UTF-8/);
    assert.equal(await current(), second.id);

    let length = 1;
    while (second.id.startsWith(first.id.slice(0, length))) length++;
    const beginning = first.id.slice(0, length);
    const used = await own("models", "use", beginning);
    assert.equal(used.exitCode, 0, used.stderr);
    assert.match(used.stdout, new RegExp(`^Model ${first.id} "First" answers now\\.\n`));
    assert.match(used.stdout, /`npx caigun models use latest` \(with the same --api-key\)/);
    assert(!used.stdout.includes(key));
    assert.equal(await current(), first.id);
    assert.equal((await ownJson("models", "use", "latest")).current_model_id, second.id);

    for (const [given, message] of [
      ["zzz", /no model whose id begins with "zzz"/],
      [first.id.slice(0, length - 1), /Several models' ids begin/],
    ] as const) {
      const { exitCode, stderr } = await own("models", "delete", given);
      assert.equal(exitCode, 4);
      assert.match(stderr, message);
    }
    assert.match((await own("models", "cancel", second.id)).stderr, /already ended/);
    assert.match((await own("export", beginning, "--out", caigun.home)).stderr, /no adapter/);

    const deleted = await own("models", "delete", second.id);
    assert.match(deleted.stdout, new RegExp(`is deleted.*\nModel ${first.id} "First" answers now\\.\n$`));
    assert.match((await own("models", "use", second.id)).stderr, /was deleted/);
    assert.equal((await ownJson("models", "delete", first.id)).current_model_id, null);
    assert.match((await own("models")).stdout, /No model yet: .*--wait` \(with the same --api-key\)/);
  });

  it("cancels a training that is waited for elsewhere, and goes on with one that Ctrl-C stops watching", async () => {
    const long = join(caigun.home, "long.txt");
    await writeFile(long, manual(4_000));
    const { api_key: key } = await json("chatbot", "create", "Long");
    const args = ["train", long, "--title", "Long", "--model", "gpt2", "--wait", "--api-key", key];
    const models = async () => (await json("models", "--api-key", key)).models;
    const running = async () =>
      (await models()).some(({ status }: { status: string }) => status === "queued" || status === "training");
    const watched = await stopCommand(caigun.home, args, running);
    assert.equal(watched.exitCode, 1, watched.stderr);
    const id = (await models())[0].id;
    assert.match(watched.stderr, new RegExp(`The training goes on.*models cancel ${id}\``));
    assert(await running());

    const cancelled = await run("models", "cancel", id, "--api-key", key);
    assert.match(cancelled.stdout, /^The training of model .* "Long" was cancelled\.\n$/);
    const waiting = run(...args);
    while (!(await running()));
    await json("models", "cancel", (await models())[0].id, "--api-key", key);
    const end = await waiting;
    assert.equal(end.exitCode, 1);
    assert.match(end.stderr, /\nThe training was cancelled\.\n$/);
  });

  it("tells a wrong call, a refusal and a file that can't be read apart", async () => {
    assert.equal((await run("trian")).exitCode, 2);
    assert.equal((await run("train", handbook)).exitCode, 2);
    assert.equal((await run("train", join(caigun.home, "missing.txt"), "--title", "T")).exitCode, 2);
    const binary = join(caigun.home, "binary");
    await writeFile(binary, Buffer.from([0x25, 0x50, 0xff, 0xfe]));
    assert.match((await run("train", binary, "--title", "T")).stderr, /not text in UTF-8/);
    const refused = await run("models", "--api-key", "cgk_wrong");
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /API key is unknown or revoked/);
  });

  it("finds nothing wrong with this machine", async () => {
    const { sound, findings } = await json("doctor");
    assert.equal(sound, true, JSON.stringify(findings));
    assert(findings.some(({ found }: { found: string }) => found.includes(caigun.url)));
  });
});

describe("the command line without a server", () => {
  let home: string;
  before(async () => {
    home = await makeHome();
  });
  after(() => rm(home, { recursive: true }));

  it("says how to start one, with exit code 3", async () => {
    for (const args of [["models"], ["talk", "Hello"], ["chatbot", "create", "Shop"], ["key", "list"]]) {
      const { exitCode, stderr } = await runCommand(home, args);
      assert.equal(exitCode, 3, args.join(" "));
      assert.match(stderr, /No server runs on .*npm start/);
    }
  });

  it("finds a port that is taken", async () => {
    const { createServer } = await import("node:net");
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
    const { port } = holder.address() as { port: number };
    const { exitCode, stdout } = await runCommand(home, ["doctor"], { PORT: String(port) });
    holder.close();
    assert.equal(exitCode, 1);
    assert.match(stdout, /PROBLEM +port .*EADDRINUSE/);
    assert.match(stdout, /set PORT/);
  });

  it("says on what gpt2 would be trained", async () => {
    const doctor = async (base: string) => (await runCommand(home, ["doctor"], { CAIGUN_GPT2_BASE: base })).stdout;
    assert.match(
      await doctor(""),
      /warning +gpt2 +gpt2 is trained on GPT-2's own weights, which a training fetches first\n.*pull gpt2/,
    );
    assert.match(await doctor(tinyGpt2), /ok +gpt2 +gpt2 is trained on tiny-gpt2 \(\/.*\), which is on this machine\n/);
    const file = fileURLToPath(import.meta.url);
    assert.match(await doctor(file), /warning +gpt2 +.*command-line\.test\.ts begins neither as a GGUF file/);
  });

  it("refuses a setting that can't be used, by name", async () => {
    const { exitCode, stderr } = await runCommand(home, ["serve"], { PORT: "eight" });
    assert.equal(exitCode, 2);
    assert.match(stderr, /^PORT is "eight"/);
  });
});
