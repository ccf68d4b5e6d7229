import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { makeHome, type RunningCaigun, runCommand, startCaigun, trained } from "../testkit/caigun.ts";
import { processesOf } from "../testkit/processes.ts";

const text = "The office opens at nine in the morning. Parking costs three euros an hour.";
const train = (caigun: RunningCaigun) =>
  caigun
    .call("/api/external/chatbot/train", { method: "POST", json: { text, title: "Handbook" } })
    .then((response) => response.json() as Promise<{ id: string; event_id: string }>);
const ask = (caigun: RunningCaigun, apiKey: string) =>
  caigun
    .call("/api/external/chatbot/conversation", {
      method: "POST",
      apiKey,
      headers: { uid: "someone" },
      json: { text: "When does the office open?" },
    })
    .then((response) => response.json() as Promise<{ text: string }>);

describe("a server's life", () => {
  const homes: string[] = [];
  const running = new Set<RunningCaigun>();
  const start = async (options: Parameters<typeof startCaigun>[0] = {}) => {
    const home = options.home ?? (await makeHome());
    homes.push(home);
    const caigun = await startCaigun({ ...options, home });
    running.add(caigun);
    return caigun;
  };
  afterEach(async () => {
    for (const caigun of running) await caigun.stop();
    running.clear();
    for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
  });

  it("lets a second one on the same home know, and leaves the first alone", async () => {
    const first = await start();
    const second = await runCommand(first.home, ["serve"], { PORT: "0" });
    assert.equal(second.exitCode, 1);
    assert.match(second.stderr, new RegExp(`Another CaiGun \\(process ${first.process.pid}\\) is using ${first.home}`));
    assert.equal((await first.call("/healthz")).status, 200);
  });

  it("goes on after kill -9 with all that was accepted", async () => {
    const first = await start();
    const { apiKey, home } = first;
    const model = await train(first);
    first.process.kill("SIGKILL");
    await once(first.process, "exit");
    running.delete(first);

    const second = await start({ home });
    assert.equal(second.apiKey, "", "a key is shown once");
    assert.equal((await trained(second, model, apiKey)).status, "ready");
    assert.equal((await ask(second, apiKey)).text, "The office opens at nine in the morning.");
  });

  it("ends well when it is told to, and leaves no process behind", async () => {
    const caigun = await start();
    await trained(caigun, await train(caigun));
    const family = await processesOf(caigun.process.pid!);
    assert(family.length >= 3, "a server, its database and a process that answers");
    await caigun.stop();
    running.delete(caigun);
    assert.equal(caigun.process.exitCode, 0);
    for (const { pid } of family) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
  });

  it("hands a training to a worker of its own", async () => {
    const caigun = await start({ env: { CAIGUN_TRAININGS: "0" } });
    const model = await train(caigun);
    const worker = spawn(
      process.execPath,
      [fileURLToPath(new URL("../apps/caigun/bin/caigun.mjs", import.meta.url)), "worker"],
      { env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: caigun.home }, stdio: ["ignore", "ignore", "pipe"] },
    );
    assert.equal((await trained(caigun, model)).status, "ready");
    worker.kill("SIGTERM");
    const [code] = await once(worker, "exit");
    assert.equal(code, 0);
  });

  it("refuses a database of another encryption key", async () => {
    const first = await start();
    await first.stop();
    running.delete(first);
    const other = await runCommand(first.home, ["serve"], {
      PORT: "0",
      CAIGUN_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
    });
    assert.equal(other.exitCode, 1);
    assert.match(other.stderr, /belongs to another encryption key/);
  });

  it("replies nothing from a model that was deleted while it was asked", async () => {
    const caigun = await start({ env: { CAIGUN_ANSWERING_PROCESSES: "1" } });
    const model = await trained(caigun, await train(caigun));
    await ask(caigun, caigun.apiKey);
    const family = await processesOf(caigun.process.pid!);
    const answering = family.find(({ command }) => command.includes("answer-child"))!;
    process.kill(answering.pid, "SIGSTOP");
    const asked = ask(caigun, caigun.apiKey) as Promise<unknown>;
    const waiting = async () => /questions_waiting 1$/m.test(await (await caigun.call("/metrics")).text());
    while (!(await waiting()));
    const deleted = await caigun.call(`/api/external/chatbot/models/${model.id}`, { method: "DELETE" });
    assert.equal(deleted.status, 200);
    process.kill(answering.pid, "SIGCONT");
    assert.equal(((await asked) as { code: string }).code, "no_model");
  });

  it("says that a model's index is damaged or missing, and goes on", async () => {
    const caigun = await start();
    const first = await trained(caigun, await train(caigun));
    const shelves = await readdir(`${caigun.home}/blobs`, { recursive: true, withFileTypes: true });
    const index = shelves.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of index) await truncate(file, 5_000);
    const damaged = (await ask(caigun, caigun.apiKey)) as unknown as { code: string; detail: string };
    assert.equal(damaged.code, "unavailable");
    assert.match(damaged.detail, /index is missing or damaged/);
    await caigun.call(`/api/external/chatbot/models/${first.id}`, { method: "DELETE" });
    const other = { text: "The shop closes at six.", title: "Shop" };
    const response = await caigun.call("/api/external/chatbot/train", { method: "POST", json: other });
    assert.equal((await trained(caigun, (await response.json()) as { id: string; event_id: string })).status, "ready");
  });

  it("writes neither keys nor texts into its log", async () => {
    const caigun = await start({ env: { CAIGUN_LOG_LEVEL: "debug" } });
    await trained(caigun, await train(caigun));
    await ask(caigun, caigun.apiKey);
    await caigun.stop();
    running.delete(caigun);
    const log =
      caigun.log.join("\n") + (await readFile(`${caigun.home}/postgres/postgres.log`, "utf8").catch(() => ""));
    assert.match(log, /conversation/);
    for (const secret of [caigun.apiKey, "Parking", "When does", "Handbook"]) assert(!log.includes(secret), secret);
  });
});
