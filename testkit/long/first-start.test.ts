import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { makeHome, program, startCaigun } from "../caigun.ts";
import { processesOfHome } from "../faults/leftovers.ts";
import { randomFrom } from "../faults/texts.ts";

const KILLS = 20;
/** From the start to the greeting, on a busy machine, ms. */
const LATEST_MS = 2_500;
const seed = Number(process.env.CAIGUN_FAULT_SEED ?? randomInt(2 ** 31));

test("a first start that is killed is made up for by the second, which has a key that works", async (t) => {
  t.diagnostic(`CAIGUN_FAULT_SEED=${seed}`);
  const random = randomFrom(seed);
  for (let number = 1; number <= KILLS; number++) {
    const home = await makeHome();
    try {
      // One moment in each part of the start's time.
      const afterMs = Math.round(((number - 1 + random()) / KILLS) * LATEST_MS);
      const printed = await startAndKill(home, afterMs);
      const second = await startCaigun({ home });
      const key = printed ?? second.apiKey;
      const response = await second.call("/api/external/chatbot/models", { apiKey: key || "none" });
      console.log(`${number} killed after ${afterMs} ms, ${printed ? "after" : "before"} its key was printed`);
      await second.stop();
      assert.equal(response.status, 200, `killed after ${afterMs} ms: no key of a first chatbot was ever printed`);
      assert.deepEqual(await processesOfHome(home), []);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }
});

/** Returns the key, where it was printed before the end. */
async function startAndKill(home: string, afterMs: number): Promise<string | undefined> {
  const child = spawn(process.execPath, [program, "serve"], {
    env: { PATH: process.env.PATH ?? "", CAIGUN_HOME: home, PORT: "0" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  await delay(afterMs);
  const closed = once(child, "close");
  child.kill("SIGKILL");
  await closed;
  return /API key +(cgk_\S+)/.exec(printed)?.[1];
}
