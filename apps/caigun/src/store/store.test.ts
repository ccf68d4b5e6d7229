import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import * as store from "./index.ts";
import { newAccount, newChatbot, newQueuedModel, newReadyModel } from "./store.testdata.ts";
import { fromStoredText, toStoredText } from "./stored-text.ts";

const { newId } = store;
const NOWHERE = "no-such-id";

describe("ids and stored text", () => {
  test("an id is greater than every one made before", () => {
    const ids = Array.from({ length: 20_000 }, newId);
    assert.deepEqual([...ids].sort(), ids);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids.slice(0, 100))
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("any string survives being stored, and what is stored is text that PostgreSQL takes", () => {
    const units = fc.array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x1a, 0xd800, 0xdc00)));
    fc.assert(
      fc.property(units, (codes) => {
        const text = String.fromCharCode(...codes);
        const stored = toStoredText(text);
        return stored.isWellFormed() && !stored.includes("\0") && fromStoredText(stored) === text;
      }),
    );
  });
});

describeOnEachBackend("store", (databases) => {
  test("two servers that migrate at once both find the schema, and a later migration changes nothing", async () => {
    const url = await databases.newEmptyUrl();
    const open = () => store.openStore(url, { maxConnections: 2, onError: assert.fail });
    const [one, other] = [open(), open()];
    await Promise.all([store.migrate(one), store.migrate(other), store.migrate(one)]);
    await newChatbot(one);
    await store.migrate(other);
    assert.equal((await store.listAccounts(other.db)).length, 1);
    await Promise.all([one.close(), other.close()]);
  });

  test("a database that a newer program has migrated is refused with a sentence", async () => {
    const s = await databases.newStore();
    await s.pool.query("insert into kysely_migration (name, timestamp) values ('9999-future', now())");
    await assert.rejects(store.migrate(s), /belongs to a newer CaiGun/);
  });

  test("a database that can't be reached is told from a wrong query", async () => {
    const s = await databases.newStore();
    const failure = (query: Promise<unknown>) =>
      query.then(() => assert.fail("it succeeded"), store.isDatabaseUnavailable);
    assert.equal(await failure(s.pool.query("select pg_terminate_backend(pg_backend_pid())")), true);
    assert.equal(await failure(s.pool.query("select nonsense")), false);
    assert.equal((await s.pool.query("select 1 as n")).rows[0].n, 1, "the pool has gone on");
    const nowhere = "postgres://nobody@127.0.0.1:1/nothing";
    const unreachable = store.openStore(nowhere, { maxConnections: 1, onError: assert.fail });
    assert.equal(await failure(unreachable.pool.query("select 1")), true);
    await assert.rejects(
      unreachable.listen("channel", () => {}),
      store.isDatabaseUnavailable,
    );
    await unreachable.close();
  });

  test("lists are newest first, and rows of the same moment stand in the order of their making", async () => {
    const s = await databases.newStore();
    const account = await newAccount(s);
    const expected: string[] = [];
    await store.inTransaction(s.db, async (trx) => {
      for (let i = 0; i < 20; i++) expected.unshift((await store.createChatbot(trx, account.id, { title: `${i}` })).id);
    });
    const chatbots = await store.listChatbots(s.db, account.id);
    assert.deepEqual(
      chatbots.map(({ id }) => id),
      expected,
    );
    assert.equal((await store.findDefaultChatbot(s.db, account.id))?.id, expected.at(-1));
    const chatbot = chatbots[0]!;
    const models: string[] = [];
    const keys: string[] = [];
    await store.inTransaction(s.db, async (trx) => {
      for (let i = 0; i < 5; i++) {
        models.unshift((await newQueuedModel({ ...s, db: trx }, chatbot.id)).modelId);
        keys.unshift(await newKey(trx, chatbot.id));
      }
    });
    assert.deepEqual(
      (await store.listModels(s.db, chatbot.id)).map(({ id }) => id),
      models,
    );
    assert.deepEqual(
      (await store.listKeys(s.db, chatbot.id)).map(({ id }) => id),
      keys,
    );
    const second = await newAccount(s);
    assert.deepEqual(
      (await store.listAccounts(s.db)).map(({ id }) => id),
      [second.id, account.id],
    );
    assert.equal((await store.findFirstAccount(s.db))?.id, account.id);
  });

  test("a key works until it is revoked, at once, and its last use never moves back", async () => {
    const s = await databases.newStore();
    const { account, chatbot } = await newChatbot(s);
    const digest = randomBytes(32);
    const id = await newKey(s.db, chatbot.id, digest);
    const holder = { keyId: id, chatbotId: chatbot.id, accountId: account.id };
    assert.deepEqual(await store.findKeyHolder(s.db, digest), holder);
    assert.deepEqual(await store.talkContext(s.pool, digest), { holder, model: undefined });
    assert.equal(await store.findKeyHolder(s.db, randomBytes(32)), undefined);
    const [early, late] = [new Date(1_000), new Date(2_000)];
    await store.touchKeys(s.db, [
      { keyId: id, at: late },
      { keyId: id, at: early },
      { keyId: newId(), at: early },
    ]);
    await store.touchKeys(s.db, [{ keyId: id, at: early }]);
    assert.deepEqual((await store.listKeys(s.db, chatbot.id))[0]?.lastUsedAt, late);
    assert.equal(await store.revokeKey(s.db, chatbot.id, id), true);
    assert.equal(await store.revokeKey(s.db, chatbot.id, id), false);
    assert.equal(await store.findKeyHolder(s.db, digest), undefined);
    assert.equal(await store.talkContext(s.pool, digest), undefined);
    assert.deepEqual(await store.listKeys(s.db, chatbot.id), []);
  });

  test("a chatbot's rows are reached through its owner alone", async () => {
    const s = await databases.newStore();
    const mine = await newChatbot(s);
    const theirs = await newChatbot(s);
    const sibling = await store.createChatbot(s.db, mine.account.id, { title: "sibling" });
    const keyId = await newKey(s.db, mine.chatbot.id);
    const ready = await newReadyModel(s, mine.chatbot.id);
    const queued = await newQueuedModel(s, mine.chatbot.id);
    await store.saveExchange(s.pool, mine.chatbot.id, exchange("uid", new Date()));
    await store.beginIdempotent(s.db, mine.chatbot.id, "key", "fingerprint", 60_000);
    const claimed = await store.claimEvent(s.db, mine.chatbot.id, queued.eventId);
    const before = await everything(mine.chatbot.id);

    assert.equal(await store.findChatbot(s.db, theirs.account.id, mine.chatbot.id), undefined);
    for (const { id: other } of [theirs.chatbot, sibling]) {
      const failure = { stage: "text", cause: "", fix: "" };
      const result = { artifactDigest: "a", artifactBytes: 1, evaluation: {} };
      for (const modelId of [ready.modelId, queued.modelId, NOWHERE]) {
        assert.equal(await store.findModel(s.db, other, modelId), undefined);
        assert.equal(await store.pinModel(s.db, other, modelId), false);
        assert.equal(await store.deleteModel(s.db, other, modelId), false);
        assert.deepEqual(await store.modelDocuments(s.db, other, modelId), []);
      }
      for (const eventId of [queued.eventId, ready.eventId, NOWHERE]) {
        assert.equal(await store.findEvent(s.db, other, eventId), undefined);
        assert.equal(await store.claimEvent(s.db, other, eventId), undefined);
        assert.equal(await store.advanceEvent(s.db, other, eventId, 1, { stage: "text", progress: 0 }), false);
        assert.equal(await store.completeTraining(s.db, other, eventId, 1, result), false);
        assert.equal(await store.failTraining(s.db, other, eventId, null, failure), false);
        assert.equal(await store.cancelEvent(s.db, other, eventId), false);
      }
      for (const id of [ready.trainingDataId, NOWHERE]) {
        assert.equal(await store.findTrainingData(s.db, other, id), undefined);
        assert.equal(await store.deleteTrainingData(s.db, other, id), false);
      }
      for (const id of [keyId, NOWHERE]) assert.equal(await store.revokeKey(s.db, other, id), false);
      assert.deepEqual(await store.listKeys(s.db, other), []);
      assert.deepEqual(await store.listModels(s.db, other), []);
      assert.deepEqual(await store.listTrainingData(s.db, other), []);
      assert.equal(await store.currentModel(s.db, other), undefined);
      assert.deepEqual(await store.listMessages(s.db, other, { uid: "uid", offset: 0, limit: 9 }), []);
      assert.deepEqual(await store.listUids(s.db, other, { offset: 0, limit: 9 }), []);
      const reply = { status: 200, contentType: "t", body: "b" };
      assert.equal(await store.finishIdempotent(s.db, other, "key", 1, reply), false);
      await store.abandonIdempotent(s.db, other, "key", 1);
      const begun = await store.beginIdempotent(s.db, other, "key", "other fingerprint", 60_000);
      assert.equal(begun.state, "new", "the same key of another owner is another key");
      const linked = await store.inTransaction(s.db, (trx) =>
        store.insertModel(trx, other, { ...newModelOf([ready.trainingDataId]), id: newId() }),
      );
      assert.deepEqual(linked, [], "another's training data is not trained");
      await assert.rejects(
        store.insertEvent(s.db, other, { id: newId(), modelId: ready.modelId, kind: "training", deadline: new Date() }),
      );
    }
    assert.deepEqual(await everything(mine.chatbot.id), before);
    assert.equal(claimed?.attempt, 1);

    async function everything(chatbotId: store.ChatbotId) {
      return [
        await store.listKeys(s.db, chatbotId),
        await store.listModels(s.db, chatbotId),
        await store.findEvent(s.db, chatbotId, queued.eventId),
        await store.findEvent(s.db, chatbotId, ready.eventId),
        await store.modelDocuments(s.db, chatbotId, ready.modelId),
        await store.currentModel(s.db, chatbotId),
        await store.listMessages(s.db, chatbotId, { uid: "uid", offset: 0, limit: 9 }),
        await store.beginIdempotent(s.db, chatbotId, "key", "fingerprint", 60_000),
      ];
    }
  });

  test("the pinned model answers, else the newest ready one; deleting unpins", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const digest = randomBytes(32);
    await newKey(s.db, chatbot.id, digest);
    const answering = async () => {
      const model = await store.currentModel(s.db, chatbot.id);
      assert.deepEqual((await store.talkContext(s.pool, digest))?.model, model);
      return model?.id;
    };
    const first = await newReadyModel(s, chatbot.id);
    const second = await newReadyModel(s, chatbot.id);
    const queued = await newQueuedModel(s, chatbot.id);
    assert.equal(await answering(), second.modelId);
    assert.equal(await store.pinModel(s.db, chatbot.id, queued.modelId), false, "it is not ready");
    assert.equal(await store.pinModel(s.db, chatbot.id, first.modelId.toUpperCase()), true);
    assert.equal(await answering(), first.modelId);
    assert.equal(await store.pinModel(s.db, chatbot.id, null), true);
    assert.equal(await answering(), second.modelId);
    assert.equal(await store.pinModel(s.db, chatbot.id, first.modelId), true);
    assert.equal(await store.deleteModel(s.db, chatbot.id, first.modelId), true);
    assert.equal(await store.deleteModel(s.db, chatbot.id, first.modelId), false);
    assert.equal(await answering(), second.modelId);
    assert.equal(await store.pinModel(s.db, chatbot.id, first.modelId), false, "it is deleted");
    assert.equal((await store.findModel(s.db, chatbot.id, first.modelId))?.deletedAt instanceof Date, true);
    assert.equal(await store.deleteModel(s.db, chatbot.id, second.modelId), true);
    assert.equal(await answering(), undefined);
  });

  test("deleting a model ends its training and deletes what belongs to it alone", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const queued = await newQueuedModel(s, chatbot.id);
    const { attempt } = (await store.claimEvent(s.db, chatbot.id, queued.eventId))!;
    assert.equal(await store.deleteModel(s.db, chatbot.id, queued.modelId), true);
    const stage = { stage: "text", progress: 0.1 };
    assert.equal(await store.advanceEvent(s.db, chatbot.id, queued.eventId, attempt, stage), false);
    assert.equal((await store.findEvent(s.db, chatbot.id, queued.eventId))?.state, "cancelled");
    assert.equal(await store.findTrainingData(s.db, chatbot.id, queued.trainingDataId), undefined);
    assert.deepEqual(await store.referencedDigests(s.db), new Set());
  });

  test("deleted training data leaves a tombstone on every model that holds it, also one inserted at that moment", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const id = newId();
    await store.insertTrainingData(s.db, chatbot.id, { ...trainingData(), id });
    const inserted = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        if (i === 6) assert.equal(await store.deleteTrainingData(s.db, chatbot.id, id), true);
        const model = { ...newModelOf([id]), id: newId() };
        return { model, held: await store.insertModel(s.db, chatbot.id, model) };
      }),
    );
    for (const { model, held } of inserted) {
      const tombstones = (await store.findModel(s.db, chatbot.id, model.id))?.tombstones;
      assert.deepEqual(tombstones, held, "a model that holds it has the tombstone, any other never got it");
      assert.deepEqual(await store.modelDocuments(s.db, chatbot.id, model.id), []);
    }
    assert.equal(await store.deleteTrainingData(s.db, chatbot.id, id), false);
    assert.deepEqual(await store.listTrainingData(s.db, chatbot.id), []);
  });

  test("training: a stale attempt can write nothing, and event and model end together", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { modelId, eventId } = await newQueuedModel(s, chatbot.id);
    const stage = { stage: "index", progress: 0.5 };
    const result = { artifactDigest: "digest", artifactBytes: 10, evaluation: { sentences: 3 } };
    const failure = { stage: "index", cause: "it broke\0", fix: "mend it" };
    assert.equal(await store.advanceEvent(s.db, chatbot.id, eventId, 0, stage), false, "nobody has claimed it");
    const first = (await store.claimEvent(s.db, chatbot.id, eventId))!;
    assert.equal((await store.findModel(s.db, chatbot.id, modelId))?.state, "training");
    assert.equal(await store.advanceEvent(s.db, chatbot.id, eventId, first.attempt, stage), true);
    const second = (await store.claimEvent(s.db, chatbot.id, eventId))!;
    assert.deepEqual([first.attempt, second.attempt, second.modelId], [1, 2, modelId]);
    const unchanged = await store.findEvent(s.db, chatbot.id, eventId);
    assert.equal(unchanged?.progress, 0, "a new attempt begins at the beginning");
    assert.equal(await store.advanceEvent(s.db, chatbot.id, eventId, first.attempt, stage), false);
    assert.equal(await store.completeTraining(s.db, chatbot.id, eventId, first.attempt, result), false);
    assert.equal(await store.failTraining(s.db, chatbot.id, eventId, first.attempt, failure), false);
    assert.deepEqual(await store.findEvent(s.db, chatbot.id, eventId), unchanged);
    assert.equal(await store.completeTraining(s.db, chatbot.id, eventId, second.attempt, result), true);
    assert.equal(await store.claimEvent(s.db, chatbot.id, eventId), undefined);
    assert.equal(await store.cancelEvent(s.db, chatbot.id, eventId), false);
    assert.equal(await store.failTraining(s.db, chatbot.id, eventId, null, failure), false);
    const model = (await store.findModel(s.db, chatbot.id, modelId))!;
    assert.deepEqual([model.state, model.artifactDigest, model.artifactBytes], ["ready", "digest", 10]);
    assert.deepEqual([model.evaluation, model.progress], [{ sentences: 3 }, 1]);

    const failing = await newQueuedModel(s, chatbot.id);
    assert.equal(await store.failTraining(s.db, chatbot.id, failing.eventId, null, failure), true);
    const failed = (await store.findModel(s.db, chatbot.id, failing.modelId))!;
    assert.deepEqual([failed.state, failed.failure], ["failed", failure]);
    assert.deepEqual((await store.findEvent(s.db, chatbot.id, failing.eventId))?.failure, failure);

    const cancelled = await newQueuedModel(s, chatbot.id);
    const { attempt } = (await store.claimEvent(s.db, chatbot.id, cancelled.eventId))!;
    assert.equal(await store.cancelEvent(s.db, chatbot.id, cancelled.eventId), true);
    assert.equal(await store.completeTraining(s.db, chatbot.id, cancelled.eventId, attempt, result), false);
    assert.equal((await store.findModel(s.db, chatbot.id, cancelled.modelId))?.state, "cancelled");
  });

  test("one of several claims at once holds, and one of several ends", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { eventId } = await newQueuedModel(s, chatbot.id);
    const claims = await Promise.all(Array.from({ length: 6 }, () => store.claimEvent(s.db, chatbot.id, eventId)));
    assert.deepEqual(claims.map((claim) => claim!.attempt).sort(), [1, 2, 3, 4, 5, 6]);
    const result = { artifactDigest: "d", artifactBytes: 1, evaluation: {} };
    const ends = await Promise.all([
      ...claims.map((claim) => store.completeTraining(s.db, chatbot.id, eventId, claim!.attempt, result)),
      store.cancelEvent(s.db, chatbot.id, eventId),
      store.failTraining(s.db, chatbot.id, eventId, null, { stage: "", cause: "", fix: "" }),
    ]);
    assert.equal(ends.filter(Boolean).length, 1);
  });

  test("what is past its deadline can't go on, and ends as failed", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const overdue = await newQueuedModel(s, chatbot.id, new Date(Date.now() - 1_000));
    const running = await newQueuedModel(s, chatbot.id);
    const { attempt } = (await store.claimEvent(s.db, chatbot.id, running.eventId))!;
    assert.equal(await store.claimEvent(s.db, chatbot.id, overdue.eventId), undefined);
    assert.deepEqual(await store.expireOverdue(s.db, new Date()), [overdue.eventId]);
    assert.deepEqual(await store.expireOverdue(s.db, new Date()), []);
    const model = (await store.findModel(s.db, chatbot.id, overdue.modelId))!;
    assert.deepEqual([model.state, model.failure?.stage], ["failed", "accepted"]);
    assert.match(model.failure!.cause, /deadline/);
    const later = new Date(Date.now() + 3_600_000);
    assert.deepEqual(await store.expireOverdue(s.db, later), [running.eventId]);
    assert.equal(
      await store.advanceEvent(s.db, chatbot.id, running.eventId, attempt, { stage: "x", progress: 1 }),
      false,
    );
  });

  test("each change of an event is notified when it commits, and not when it rolls back", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const heard: (string | null)[] = [];
    let next = Promise.withResolvers<void>();
    await s.listen(store.EVENT_CHANNEL, (payload) => {
      heard.push(payload);
      next.resolve();
    });
    const { eventId } = await newQueuedModel(s, chatbot.id);
    await next.promise;
    const undone = store.inTransaction(s.db, async (trx) => {
      await store.cancelEvent(trx, chatbot.id, eventId);
      throw new Error("undone");
    });
    await assert.rejects(undone, /undone/);
    for (const change of [
      () => store.claimEvent(s.db, chatbot.id, eventId),
      () => store.advanceEvent(s.db, chatbot.id, eventId, 1, { stage: "text", progress: 0.2 }),
      () => store.cancelEvent(s.db, chatbot.id, eventId),
    ]) {
      next = Promise.withResolvers();
      await change();
      await next.promise;
    }
    assert.deepEqual(heard, [eventId, eventId, eventId, eventId]);
    assert.equal((await store.findEvent(s.db, chatbot.id, eventId))?.revision, 3);
  });

  test("a listener whose connection breaks comes back, and says that it may have missed something", async () => {
    const s = await databases.newStore();
    const url = s.pool.options.connectionString!;
    const listening = store.openStore(url, { maxConnections: 1, onError: () => {} });
    const heard: (string | null)[] = [];
    let next = Promise.withResolvers<void>();
    await listening.listen("a channel", (payload) => {
      heard.push(payload);
      next.resolve();
    });
    const broken =
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %' and datname = current_database()";
    await s.pool.query(broken);
    await next.promise;
    next = Promise.withResolvers();
    await s.pool.query(`select pg_notify('a channel', 'again')`);
    await next.promise;
    assert.deepEqual(heard, [null, "again"]);
    await listening.close();
  });

  test("messages and conversations: whatever is said comes back, newest first, within the period", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
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
      await store.saveExchange(s.pool, chatbot.id, said);
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

    await store.saveExchange(s.pool, chatbot.id, exchange("late", new Date(9_000)));
    await store.saveExchange(s.pool, chatbot.id, {
      ...exchange(uid, new Date(500)),
      send: "an older one, saved later",
    });
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
    const at = (i: number) => new Date(1_000 + i);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.saveExchange(s.pool, chatbot.id, exchange("u", at(i)))),
    );
    assert.equal((await store.listMessages(s.db, chatbot.id, { uid: "u", offset: 0, limit: 99 })).length, 50);
    const [conversation] = await store.listUids(s.db, chatbot.id, { offset: 0, limit: 9 });
    assert.deepEqual(conversation?.lastSentAt, at(49));
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

  test("a database belongs to the first encryption key that it met", async () => {
    const s = await databases.newStore();
    const answers = await Promise.all(["a", "a", "a"].map((key) => store.rememberSecretFingerprint(s.db, key)));
    assert.deepEqual(answers, [true, true, true]);
    assert.equal(await store.rememberSecretFingerprint(s.db, "b"), false);
  });

  test("blobs are referred to by undeleted training data and undeleted ready models", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const ready = await newReadyModel(s, chatbot.id);
    const { blobDigest } = (await store.findTrainingData(s.db, chatbot.id, ready.trainingDataId))!;
    const { artifactDigest } = (await store.currentModel(s.db, chatbot.id))!;
    assert.deepEqual(await store.referencedDigests(s.db), new Set([blobDigest, artifactDigest]));
    await store.deleteTrainingData(s.db, chatbot.id, ready.trainingDataId);
    assert.deepEqual(await store.referencedDigests(s.db), new Set([artifactDigest]));
    await store.deleteModel(s.db, chatbot.id, ready.modelId);
    assert.deepEqual(await store.referencedDigests(s.db), new Set());
  });
});

async function newKey(db: store.Db, chatbotId: store.ChatbotId, digest = randomBytes(32)): Promise<string> {
  const id = newId();
  await store.insertKey(db, chatbotId, { id, name: "name", hint: "cgk_…", digest, sealed: Buffer.from("sealed") });
  return id;
}

function trainingData() {
  return { type: "text", title: "title", blobDigest: newId(), textSha256: "s", codePoints: 1, bytes: 1 } as const;
}

function newModelOf(trainingDataIds: string[]) {
  const engine = { modelName: "PaLM2", engine: "local-reader", base: null, retrieval: "lexical" };
  return { ...engine, title: "title", trainingDataType: "text" as const, trainingDataIds };
}

function exchange(uid: string, at: Date): store.Exchange {
  const said = { receive: "question", send: "answer", type: "text", logType: "talk", kwargs: {} } as const;
  return { uid, nickname: null, source: "api", messageId: newId(), ...said, at };
}
