import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, open, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { makeHome, type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { Chatbot, type ModelReply, type TrainReply } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import { freeze } from "../testkit/faults/signals.ts";
import { learner, leftOver } from "../testkit/learning.ts";
import { manual } from "../testkit/manual.ts";

const run = promisify(execFile);
const LIMIT_MS = 60_000;
const DISK_BYTES = 32 * 1024 * 1024;

describe("the disk is full while a language model learns", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    await mkdir(join(caigun.home, "learning"), { mode: 0o700 });
  });
  after(() => caigun.remove());

  /** A training whose state finds no room on the disk. */
  async function trainedInVain(): Promise<{ training: TrainReply; part: string }> {
    const training = await chatbot.train(manual(100), { model_name: "gpt2" });
    const part = join(caigun.home, "learning", `${training.event_id}.part`);
    await symlink("/dev/full", part);
    return { training, part };
  }

  it("and stays full: the training fails and says so, nothing is left, and the server goes on", async () => {
    const { training } = await trainedInVain();
    const model = await trained(caigun, training);
    assert.equal(model.status, "failed");
    assert.deepEqual(model.failure, {
      stage: "learn",
      cause: "The disk is full.",
      fix: "Free some space below CAIGUN_HOME, then train again.",
    });
    assert.deepEqual(await leftOver(caigun.home), []);
    await chatbot.ready("The office opens at nine in the morning.");
    const { text } = await chatbot.ask("When does the office open?");
    assert.match(text, /nine/);
  });

  it("and is freed: the training is tried again and ends as if nothing had been", async () => {
    const { training, part } = await trainedInVain();
    await failedOnce(caigun, training);
    await rm(part);
    const model = await trained(caigun, training);
    assert.equal(model.status, "ready", JSON.stringify(model.failure));
    assert.deepEqual(await leftOver(caigun.home), []);
  });
});

const cannotMount = process.platform !== "linux" || process.getuid?.() !== 0;

describe("a disk that really fills up", { skip: cannotMount && "it needs root to mount one" }, () => {
  let caigun: RunningCaigun;
  let home: string;
  let disk: string;
  before(async () => {
    home = await makeHome();
    disk = join(home, "disk");
    await mkdir(disk);
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES},mode=700`, "tmpfs", disk]);
    // All but the database, which would need far more.
    for (const name of ["blobs", "learning", "work"]) {
      await mkdir(join(disk, name), { mode: 0o700 });
      await symlink(join(disk, name), join(home, name));
    }
    caigun = await startCaigun({ home });
  });
  after(async () => {
    await caigun?.stop();
    await run("umount", [disk]).catch(() => {});
    await rm(home, { recursive: true, force: true });
  });

  it("where the learning has its files: the attempt fails, is made again, and the model is ready", async () => {
    const chatbot = new Chatbot(caigun);
    const training = (await chatbot.train(manual(100), { model_name: "gpt2" })) as TrainReply;
    const thaw = freeze(await learner(caigun));
    const filler = join(disk, "filler");
    await fill(filler);
    thaw();
    await failedOnce(caigun, training);
    await rm(filler);
    const model = (await trained(caigun, training)) as ModelReply;
    assert.equal(model.status, "ready", JSON.stringify(model.failure));
    assert.deepEqual(await leftOver(home), []);
  });
});

/** Until the server has logged that an attempt to learn ended because the disk is full. */
async function failedOnce({ log }: RunningCaigun, { event_id }: TrainReply): Promise<void> {
  await eventually("an attempt has failed", LIMIT_MS, () => log.some((line) => line.includes(event_id)));
  const line = JSON.parse(log.find((line) => line.includes(event_id))!) as Record<string, unknown>;
  assert.deepEqual([line.msg, line.stage, line.mayHeal], ["training failed", "learn", true], JSON.stringify(line));
  assert.match(JSON.stringify(line.err), /ENOSPC/);
}

/** Writes until no byte fits any more. */
async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for (let bytes = 1 << 20; bytes > 0; ) {
      const { bytesWritten } = await file.write(Buffer.alloc(bytes)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOSPC") throw error;
        return { bytesWritten: 0 };
      });
      if (bytesWritten < bytes) bytes = Math.floor(bytes / 2);
    }
  } finally {
    await file.close();
  }
}
