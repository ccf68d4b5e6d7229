import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import { exchange, newChatbot, newReadyModel } from "../../../../testkit/rows.ts";
import * as store from "./index.ts";

describeOnEachBackend("conversations and idempotent requests", (databases) => {
  test("messages and conversations: whatever is said comes back, newest first, within the period", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const model = { id: (await newReadyModel(s, chatbot.id)).modelId, tombstones: [] };
    const odd = "NUL \0, halves \ud800 \udc00, substitute \u001a0000, مرحبا, e\u0301, 🧵";
    const uid = `uid ${"長".repeat(10_000)}\0`;
    const times = [1_000, 2_000, 2_000, 3_000].map((ms) => new Date(ms));
    const sent: string[] = [];
    for (const [i, at] of times.entries()) {
      const said = {
        ...exchange(uid, at),
        receive: odd,
        send: `${odd}${i}`,
        kwargs: { odd },
        nickname: i < 2 ? odd : null,
      };
      assert.equal(await store.saveExchange(s.db, chatbot.id, said, model), true);
      sent.unshift(said.messageId);
    }
    const all = await store.listMessages(s.db, chatbot.id, { uid, offset: 0, limit: 9 });
    assert.deepEqual(
      all.map(({ id }) => id),
      sent,
    );
    assert.deepEqual([all[0]!.receive, all[0]!.send, all[0]!.kwargs], [odd, `${odd}3`, { odd }]);
    const page = await store.listMessages(s.db, chatbot.id, { uid, offset: 1, limit: 2 });
    assert.deepEqual(
      page.map(({ id }) => id),
      sent.slice(1, 3),
    );
    const named = await store.listMessages(s.db, chatbot.id, { uid, nickname: odd, offset: 0, limit: 9 });
    assert.deepEqual(
      named.map(({ id }) => id),
      sent.slice(2),
    );
    const period = { startAt: times[1], endAt: times[2] };
    const within = await store.listMessages(s.db, chatbot.id, { uid, ...period, offset: 0, limit: 9 });
    assert.deepEqual(
      within.map(({ id }) => id),
      sent.slice(1, 3),
    );
    assert.deepEqual(await store.listMessages(s.db, chatbot.id, { uid: "other", offset: 0, limit: 9 }), []);

    await store.saveExchange(s.db, chatbot.id, exchange("late", new Date(9_000)), model);
    const older = { ...exchange(uid, new Date(500)), send: "an older one, saved later" };
    await store.saveExchange(s.db, chatbot.id, older, model);
    const conversations = await store.listUids(s.db, chatbot.id, { offset: 0, limit: 9 });
    assert.deepEqual(
      conversations.map((c) => [c.uid, c.lastSentAt.getTime()]),
      [
        ["late", 9_000],
        [uid, 3_000],
      ],
    );
    assert.deepEqual([conversations[1]!.lastSent, conversations[1]!.nickname], [`${odd}3`, odd]);
    const inclusive = { startAt: new Date(3_000), endAt: new Date(9_000), offset: 0, limit: 9 };
    assert.equal((await store.listUids(s.db, chatbot.id, inclusive)).length, 2);
    const tooLate = { startAt: new Date(3_001), offset: 0, limit: 9 };
    assert.equal((await store.listUids(s.db, chatbot.id, tooLate)).length, 1);
  });

  test("exchanges of one conversation saved at once are all kept", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const model = { id: (await newReadyModel(s, chatbot.id)).modelId, tombstones: [] };
    const at = (i: number) => new Date(1_000 + i);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.saveExchange(s.db, chatbot.id, exchange("u", at(i)), model)),
    );
    assert.equal((await store.listMessages(s.db, chatbot.id, { uid: "u", offset: 0, limit: 99 })).length, 50);
    const [conversation] = await store.listUids(s.db, chatbot.id, { offset: 0, limit: 9 });
    assert.deepEqual(conversation?.lastSentAt, at(49));
  });

  test("nothing is kept of a reply whose model, or training data of it, was deleted since it was asked", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { modelId, trainingDataId } = await newReadyModel(s, chatbot.id);
    const save = (tombstones: string[]) =>
      store.saveExchange(s.db, chatbot.id, exchange("u", new Date()), { id: modelId, tombstones });
    assert.equal(await save([]), true);
    await store.deleteTrainingData(s.db, chatbot.id, trainingDataId);
    assert.equal(await save([]), false);
    assert.equal(await save([trainingDataId]), true);
    await store.deleteModel(s.db, chatbot.id, modelId);
    assert.equal(await save([trainingDataId]), false);
    assert.equal((await store.listMessages(s.db, chatbot.id, { uid: "u", offset: 0, limit: 9 })).length, 2);
  });

  test("idempotency: one of several begins, the others wait, and all get its reply", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const key = `key ${"k".repeat(5_000)}\0`;
    const begin = (fingerprint = "f") => store.beginIdempotent(s.db, chatbot.id, key, fingerprint, 60_000);
    const states = (await Promise.all(Array.from({ length: 8 }, () => begin()))).map(({ state }) => state);
    assert.deepEqual(states.sort(), ["new", ...Array(7).fill("running")]);
    assert.deepEqual(await begin("g"), { state: "mismatch" });
    const reply = { status: 200, contentType: "application/json", body: '{"text":"\ud800"}' };
    const undone = store.inTransaction(s.db, async (trx) => {
      assert.equal(await store.finishIdempotent(trx, chatbot.id, key, 1, reply), true);
      throw new Error("undone");
    });
    await assert.rejects(undone, /undone/);
    assert.deepEqual(await begin(), { state: "running" }, "the reply went with the transaction");
    await store.abandonIdempotent(s.db, chatbot.id, key, 1);
    assert.deepEqual(await begin(), { state: "new", claim: 1 });
    assert.equal(await store.finishIdempotent(s.db, chatbot.id, key, 1, reply), true);
    assert.deepEqual(await begin(), { state: "done", ...reply });
    await store.abandonIdempotent(s.db, chatbot.id, key, 1);
    assert.deepEqual(await begin(), { state: "done", ...reply }, "a finished one can't be abandoned");
    assert.equal(await store.removeExpiredIdempotent(s.db, new Date()), 0);
    assert.equal(await store.removeExpiredIdempotent(s.db, new Date(Date.now() + 61_000)), 1);
  });

  test("idempotency: a request whose holder died is taken over after its lease, and the dead one is fenced off", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const begin = (leaseMs: number) => store.beginIdempotent(s.db, chatbot.id, "key", "f", 60_000, leaseMs);
    assert.deepEqual(await begin(-1), { state: "new", claim: 1 });
    assert.deepEqual(await begin(60_000), { state: "new", claim: 2 });
    assert.deepEqual(await begin(60_000), { state: "running" });
    const reply = { status: 200, contentType: "t", body: "second" };
    assert.equal(await store.finishIdempotent(s.db, chatbot.id, "key", 1, { ...reply, body: "first" }), false);
    assert.equal(await store.finishIdempotent(s.db, chatbot.id, "key", 2, reply), true);
    assert.deepEqual(await begin(60_000), { state: "done", ...reply });
    const expired = await store.beginIdempotent(s.db, chatbot.id, "old", "f", -1);
    assert.deepEqual(expired, { state: "new", claim: 1 });
    assert.equal((await store.beginIdempotent(s.db, chatbot.id, "old", "other", 60_000)).state, "new");
  });

  test("idempotency: a sole server that starts frees what the one before it left half done", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const begin = (key: string) => store.beginIdempotent(s.db, chatbot.id, key, "f", 60_000);
    await begin("half done");
    await begin("done");
    const reply = { status: 200, contentType: "t", body: "b" };
    await store.finishIdempotent(s.db, chatbot.id, "done", 1, reply);
    assert.equal(await store.releaseIdempotent(s.db), 1);
    assert.deepEqual(await begin("half done"), { state: "new", claim: 1 });
    assert.deepEqual(await begin("done"), { state: "done", ...reply });
  });
});
