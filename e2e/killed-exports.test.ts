import assert from "node:assert/strict";
import { once } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, runCommand, startCaigun, trained } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, type ModelReply } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import { freeze } from "../testkit/faults/signals.ts";
import { leftOver } from "../testkit/learning.ts";
import { manual } from "../testkit/manual.ts";
import { processesOf } from "../testkit/processes.ts";

const LIMIT_MS = 30_000;
const TRIES = 5;
const moments = ["starts", "writes"] as const;
type Moment = (typeof moments)[number];

describe("a file is made of an adapter, and what makes it is killed", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  let model: ModelReply;
  let out: string;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    model = (await trained(caigun, await chatbot.train(manual(60), { model_name: "gpt2" }))) as ModelReply;
    assert.equal(model.status, "ready", JSON.stringify(model.failure));
    out = await mkdtemp(join(tmpdir(), "caigun-exports-"));
  });
  after(async () => {
    await caigun.remove();
    await rm(out, { recursive: true, force: true });
  });

  /** Resolves when the whole reply is there. */
  async function asked(format: string): Promise<Response> {
    const response = await chatbot.call(`models/${model.id}/adapter?format=${format}`);
    return new Response(await response.arrayBuffer(), response);
  }
  async function taken(format: string): Promise<Buffer> {
    const response = await asked(format);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.status, 200, bytes.toString("utf8", 0, 500));
    assert.equal(Number(response.headers.get("content-length")), bytes.length);
    return bytes;
  }

  for (const format of ["peft", "merged-gguf"])
    for (const moment of moments)
      it(`${format}, as it ${moment}: the caller is told so, and gets it when asking again`, async () => {
        const whole = await taken(format);
        const { child, reply } = await whileStanding(caigun, moment, () => asked(format));
        process.kill(child, "SIGKILL");
        const { detail } = await assertProblem(await reply, 503, "unavailable");
        assert.match(detail, /could not make the file.*Try again/);
        assert.deepEqual(await leftOver(caigun.home), []);
        assert((await taken(format)).equals(whole));
      });

  it("by the command line: there is no file, and a second try writes the whole one", async () => {
    const path = join(out, "model.gguf");
    const command = ["export", model.id, "--format", "merged-gguf", "--out", path];
    const { child, reply } = await whileStanding(caigun, "writes", () => runCommand(caigun.home, command));
    process.kill(child, "SIGKILL");
    const { exitCode, stdout, stderr } = await reply;
    assert.notEqual(exitCode, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /could not make the file.*Try again/);
    assert.deepEqual(await readdir(out), []);
    assert.equal((await runCommand(caigun.home, command)).exitCode, 0);
    assert((await readFile(path)).equals(await taken("merged-gguf")));
  });

  it("the server: the connection is cut, and nothing is left when it is there again", async () => {
    const whole = await taken("peft");
    const { child, reply } = await whileStanding(caigun, "writes", () => asked("peft"));
    const cut = assert.rejects(reply, TypeError);
    caigun.process.kill("SIGKILL");
    await once(caigun.process, "exit");
    await cut;
    process.kill(child, "SIGCONT");
    caigun = await startCaigun({ home: caigun.home });
    chatbot = new Chatbot(caigun, chatbot.apiKey);
    assert.deepEqual(await readdir(join(caigun.home, "work")), [String(caigun.process.pid)]);
    assert.deepEqual(await leftOver(caigun.home), []);
    assert((await taken("peft")).equals(whole));
  });
});

/** Has a file made, and its process stand still in that moment; again where it was faster than it was seen. */
async function whileStanding<Reply>(
  caigun: RunningCaigun,
  moment: Moment,
  ask: () => Promise<Reply>,
): Promise<{ child: number; reply: Promise<Reply> }> {
  for (let tries = 0; tries < TRIES; tries++) {
    const standing = standingExport(caigun, moment);
    const reply = ask();
    const child = await standing;
    if (child !== undefined) return { child, reply };
    await reply;
  }
  return assert.fail(`no process stood still as it ${moment}`);
}

/** Freezes the next process that makes a file, as soon as it is there or has begun to write; undefined where it had ended. */
async function standingExport({ home, process: server }: RunningCaigun, moment: Moment): Promise<number | undefined> {
  const work = join(home, "work", String(server.pid));
  const name = await eventually("a folder is made for it", LIMIT_MS, async () =>
    (await readdir(work)).find((name) => name.startsWith("export-")),
  );
  const folder = join(work, name);
  const find = async () => {
    const family = await processesOf(server.pid!);
    return family.find(({ command }) => command.includes("export-child"))?.pid;
  };
  let child: number | undefined;
  const writes = Promise.withResolvers<void>();
  let watcher: FSWatcher | undefined;
  try {
    // At once, and not when somebody looks again: a small model is written within milliseconds.
    watcher = watch(folder, () => {
      try {
        if (moment === "writes" && child !== undefined) freeze(child);
        writes.resolve();
      } catch (error) {
        writes.reject(error as Error);
      }
    });
    child = await eventually("a process makes it", LIMIT_MS, find);
    if (moment === "writes") await writes.promise;
    freeze(child);
    if (!(await readdir(folder)).includes("made") && (await find()) === child) return child;
    process.kill(child, "SIGCONT");
  } catch (error) {
    if (!["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    watcher?.close();
  }
  return undefined;
}
