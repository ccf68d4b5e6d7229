import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { makeHome, program, startCaigun } from "../caigun.ts";
import { eventually } from "../faults/eventually.ts";
import { processesOfHome } from "../faults/leftovers.ts";

/** What a first start makes below its home, in this order; the first chatbot and its key are made before `work`. */
const MILESTONES = [
  "lock.sqlite",
  "secrets/postgres-password",
  "postgres/data.new-",
  "postgres/data",
  "postgres/data/postmaster.pid",
  "secrets/encryption-key",
  "blobs/incoming",
  "work",
  "server.json",
];
const START_LIMIT_MS = 60_000;

for (const milestone of MILESTONES) {
  test(`a first start that is killed once ${milestone} is there is made up for by the second`, async () => {
    const home = await makeHome();
    try {
      const printed = await startAndKill(home, milestone);
      const second = await startCaigun({ home });
      const key = printed ?? second.apiKey;
      const response = await second.call("/api/external/chatbot/models", { apiKey: key || "none" });
      await second.stop();
      assert.equal(response.status, 200, "no key of a first chatbot was ever printed");
      assert.deepEqual(await processesOfHome(home), []);
      const third = await startCaigun({ home });
      await third.stop();
      assert.equal(third.apiKey, "", "a key that was shown is not shown again");
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
}

/** Returns the key, where it was printed before the end. */
async function startAndKill(home: string, milestone: string): Promise<string | undefined> {
  const child = spawn(process.execPath, [program, "serve"], {
    env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: home, PORT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  const path = join(home, milestone);
  await eventually(`${milestone} is there`, START_LIMIT_MS, () =>
    namesIn(dirname(path)).some((name) => isMeant(name, path)),
  );
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  return /API key +(cgk_\S+)/.exec(printed)?.[1];
}

const isMeant = (name: string, path: string) =>
  path.endsWith("-") ? name.startsWith(basename(path)) : name === basename(path);

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not made yet.
  }
}
