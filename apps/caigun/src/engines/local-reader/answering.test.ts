import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { processesOf } from "../../../../../testkit/processes.ts";
import { Embedding } from "../embedding.ts";
import { Answering } from "./answering.ts";

const LIMIT_MS = 20_000;

test("a process that is killed while nobody asks is replaced, so that the server is ready again", async () => {
  const embedding = new Embedding({ embedder: undefined, weightsFolder: "", fetch: {}, onUnavailable: assert.fail });
  const answering = new Answering({
    children: 1,
    heapMiB: 64,
    timeoutMs: 30_000,
    maxWaiting: 10,
    fit: "shipped",
    embedding,
  });
  try {
    const first = await answeringPid();
    process.kill(first, "SIGKILL");
    const second = await answeringPid(first);
    assert(answering.isAlive);
    assert.notEqual(second, first);
  } finally {
    await answering.close();
  }
});

/** The process that answers, once it is another than the one given. */
async function answeringPid(otherThan?: number): Promise<number> {
  for (const end = performance.now() + LIMIT_MS; performance.now() < end; await delay(10)) {
    const family = await processesOf(process.pid);
    const found = family.find(({ pid, command }) => command.includes("answer-child.ts") && pid !== otherThan);
    if (found) return found.pid;
  }
  throw new Error("No process answers.");
}
