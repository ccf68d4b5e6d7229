import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import { newChatbot, newQueuedModel } from "../../../../testkit/rows.ts";
import * as store from "./index.ts";

describeOnEachBackend("trainings and their events", (databases) => {
  test("training: a stale attempt can write nothing, and event and model end together", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { modelId, eventId } = await newQueuedModel(s, chatbot.id);
    const stage = { stage: "index", progress: 0.5 };
    const result = { artifactDigest: "digest", artifactBytes: 10, retrieval: "lexical", evaluation: { sentences: 3 } };
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
    const result = { artifactDigest: "d", artifactBytes: 1, retrieval: "lexical", evaluation: {} };
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
});
