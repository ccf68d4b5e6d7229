import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child, ChildEnded, ChildRefused, ChildTimedOut } from "./child.ts";

const kit = (name: string) => new URL(`../../../../testkit/children/${name}`, import.meta.url);
const start = () => new Child({ module: kit("obliging-child.ts"), name: "test", heapMiB: 64 });
const timeoutMs = 30_000;

describe("a child process", () => {
  it("replies to many requests, each to its own", async () => {
    const child = start();
    const values = Array.from({ length: 50 }, (_, value) => value);
    const replies = await Promise.all(values.map((value) => child.request({ do: "echo", value }, { timeoutMs })));
    assert.deepEqual(replies, values);
    child.kill();
    await child.ended;
  });

  it("reports progress in order, and its errors by name and code", async () => {
    const child = start();
    const seen: unknown[] = [];
    await child.request({ do: "count", to: 5 }, { timeoutMs, onProgress: (step) => seen.push(step) });
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
    await assert.rejects(child.request({ do: "throw", message: "too far" }, { timeoutMs }), (error) => {
      assert(error instanceof ChildRefused);
      assert.deepEqual(error.refusal, { name: "RangeError", message: "too far" });
      return true;
    });
    await assert.rejects(child.request({ do: "fill a database" }, { timeoutMs }), (error) => {
      assert(error instanceof ChildRefused);
      const { code, errcode } = error.refusal;
      assert.deepEqual({ code, errcode }, { code: "ERR_SQLITE_ERROR", errcode: 13 }); // SQLITE_FULL
      return true;
    });
    child.kill();
    await child.ended;
  });

  it("lets others go first where it works in the background", async () => {
    const child = new Child({ module: kit("obliging-child.ts"), name: "test", heapMiB: 64, inBackground: true });
    assert(getPriority(child.pid) > getPriority());
    child.kill();
    await child.ended;
  });

  it("is told to stop one request, and goes on with the others", async () => {
    const child = start();
    const caller = new AbortController();
    const stopped = child.request({ do: "wait" }, { timeoutMs, signal: caller.signal, onAbort: "cancel" });
    const after = child.request({ do: "echo", value: 1 }, { timeoutMs });
    caller.abort(new Error("hung up"));
    await assert.rejects(stopped, /hung up/);
    assert.equal(await after, 1);
    child.kill();
    await child.ended;
  });

  it("is killed when it does not stop though it was told to", async () => {
    const child = start();
    const caller = new AbortController();
    const cancel = { timeoutMs, onAbort: "cancel", cancelWithinMs: 50 } as const;
    const begun = child.request({ do: "echo", value: 1 }, { timeoutMs });
    const hanging = child.request({ do: "hang" }, { ...cancel, signal: caller.signal });
    const behind = child.request({ do: "echo", value: 2 }, { timeoutMs });
    assert.equal(await begun, 1);
    caller.abort(new Error("hung up"));
    await assert.rejects(hanging, /hung up/);
    await assert.rejects(behind, ChildEnded);
    await child.ended;
  });

  it("is not killed for a request that waits behind another", async () => {
    const child = start();
    const caller = new AbortController();
    const first = child.request({ do: "take", ms: 400 }, { timeoutMs });
    const behind = child.request(
      { do: "wait" },
      { timeoutMs, signal: caller.signal, onAbort: "cancel", cancelWithinMs: 50 },
    );
    caller.abort(new Error("hung up"));
    await assert.rejects(behind, /hung up/);
    assert.equal(await first, 400);
    child.kill();
    await child.ended;
  });

  it("fails every request that waits when it crashes", async () => {
    const child = start();
    const lost = [{ do: "crash" }, { do: "echo", value: 1 }].map((request) => child.request(request, { timeoutMs }));
    for (const request of lost) await assert.rejects(request, ChildEnded);
    await child.ended;
    await assert.rejects(child.request({ do: "echo", value: 1 }, { timeoutMs }), ChildEnded);
  });

  it("is killed while it computes, by time-out and by abort", async () => {
    const slow = start();
    await assert.rejects(slow.request({ do: "spin" }, { timeoutMs: 300 }), ChildTimedOut);
    await slow.ended;

    const aborted = start();
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const request = aborted.request(
      { do: "spin" },
      { timeoutMs, signal: controller.signal, onProgress: () => controller.abort(reason) },
    );
    await assert.rejects(request, reason);
    await aborted.ended;
  });

  it("sees nothing of the environment", async () => {
    const child = start();
    const environment = await child.request<Record<string, string>>({ do: "environment" }, { timeoutMs });
    assert.deepEqual(
      Object.keys(environment).filter((name) => !name.startsWith("NODE_CHANNEL_")),
      [],
    );
    child.kill();
    await child.ended;
  });

  it("shares the compiled code of its parent, where that keeps any, and adds its own", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "caigun-compiled-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const parent = spawn(process.execPath, [fileURLToPath(kit("parent-of-an-echo.ts"))], {
      env: { NODE_COMPILE_CACHE: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const told = JSON.parse(await text(parent.stdout)) as { environment: Record<string, string>; kept: number };
    assert.equal(told.environment.NODE_COMPILE_CACHE, folder);
    assert(told.kept > 0, "the child kept nothing of what it compiled");
  });

  it("ends by itself when its parent is killed, even while it computes", async () => {
    const parent = spawn(process.execPath, [fileURLToPath(kit("parent-of-a-spinning-child.ts"))], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", (data) => resolve(String(data)))));
    assert(await isRunning(pid));
    parent.kill("SIGKILL");
    // Bounded by the test's own time-out: the condition, not a length of time, ends the wait.
    while (await isRunning(pid)) await delay(5);
  });
});

/** Whether a process runs: one that has ended but whose parent has not asked yet (state Z) does not. */
async function isRunning(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat !== undefined && !/^\d+ \(.*\) Z/s.test(stat);
}
