import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "@caigun/contract";
import fc from "fast-check";
import { goodKey, startEchoServer } from "../../../../testkit/http-server.ts";
import { fingerprintOf } from "./idempotency.ts";

async function post(url: string, text: string, headers: Record<string, string> = {}) {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "api-key": goodKey, "content-type": "application/json", ...headers },
    body: JSON.stringify({ text }),
  });
  return { status: reply.status, text: await reply.text(), replayed: reply.headers.get("idempotent-replayed") };
}

test("a repeat gets the first reply and does nothing again", async () => {
  let made = 0;
  await using server = await startEchoServer({
    commands: {
      create: async (_caller, { text }) => {
        made += 1;
        return { text, made };
      },
    },
  });
  const url = `${server.url}/api/external/create`;
  const first = await post(url, "a", { "idempotency-key": "k" });
  const again = await post(url, "a", { "idempotency-key": "k" });
  assert.deepEqual([first.status, first.replayed, again.replayed], [200, null, "true"]);
  assert.equal(again.text, first.text);
  const other = await post(url, "b", { "idempotency-key": "k" });
  assert.deepEqual([other.status, JSON.parse(other.text).code], [400, "idempotency_key_reused"]);
  const stranger = await post(url, "b", { "idempotency-key": "k", "api-key": "other-key" });
  assert.equal(stranger.status, 200, "keys are counted for each owner apart");
  await post(url, "a");
  assert.equal(made, 3);
});

test("a repeat that comes while the first runs waits for it", async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  let made = 0;
  await using server = await startEchoServer({
    commands: {
      create: async () => {
        made += 1;
        begun.resolve();
        await release.promise;
        return { made };
      },
    },
  });
  const url = `${server.url}/api/external/create`;
  const first = post(url, "a", { "idempotency-key": "k" });
  await begun.promise;
  const repeats = [1, 2, 3].map(() => post(url, "a", { "idempotency-key": "k" }));
  release.resolve();
  const replies = await Promise.all([first, ...repeats]);
  assert.deepEqual(new Set(replies.map(({ status, text }) => `${status} ${text}`)), new Set(['200 {"made":1}']));
});

test("a failure is forgotten, and so is a request that was refused", async () => {
  let failures: unknown[] = [new Problem("unavailable"), new Error("broken"), new Problem("no_model")];
  await using server = await startEchoServer({
    commands: {
      create: async () => {
        const [failure, ...rest] = failures;
        failures = rest;
        if (failure) throw failure;
        return { made: true };
      },
    },
  });
  const url = `${server.url}/api/external/create`;
  const statuses: number[] = [];
  for (const text of ["a", "b", "c", "", "d"])
    statuses.push((await post(url, text, { "idempotency-key": "k" })).status);
  assert.deepEqual(statuses, [503, 500, 400, 400, 200]);
});

test("a key that is no key is refused", async () => {
  await using server = await startEchoServer();
  for (const key of ["", "a b", "k".repeat(256)]) {
    const { status, text } = await post(`${server.url}/api/external/create`, "a", { "idempotency-key": key });
    assert.deepEqual([status, JSON.parse(text).code], [400, "invalid_idempotency_key"]);
  }
});

test("a reply recorded in the command's own transaction is what later calls get", async () => {
  await using server = await startEchoServer({
    commands: {
      create: async (_caller, { text }, { recordReply }) => {
        const reply = { made: text };
        await recordReply?.(undefined, reply);
        return reply;
      },
    },
  });
  const url = `${server.url}/api/external/create`;
  await post(url, "a", { "idempotency-key": "k" });
  assert.deepEqual(await post(url, "a", { "idempotency-key": "k" }), {
    status: 200,
    text: '{"made":"a"}',
    replayed: "true",
  });
});

test("different inputs have different fingerprints", () => {
  const input = fc.dictionary(
    fc.constantFrom("text", "title", "n"),
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
  );
  fc.assert(
    fc.property(input, input, (a, b) => {
      const same = JSON.stringify(Object.entries(a)) === JSON.stringify(Object.entries(b));
      assert.equal(fingerprintOf("x", a) === fingerprintOf("x", b), same);
    }),
  );
  assert.notEqual(fingerprintOf("x", { text: "a" }), fingerprintOf("y", { text: "a" }));
});
