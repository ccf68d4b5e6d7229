import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { sql } from "kysely";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import {
  exchange,
  newAccount,
  newChatbot,
  newKey,
  newModelOf,
  newQueuedModel,
  newReadyModel,
  trainingData,
} from "../../../../testkit/rows.ts";
import * as store from "./index.ts";

const { newId } = store;
const NOWHERE = "no-such-id";

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

  test("a connection that breaks between two queries of a transaction fails the transaction, not the process", async () => {
    const s = await databases.newStore();
    const other = await databases.newStore();
    const outcome = store.inTransaction(s.db, async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      await other.pool.query("select pg_terminate_backend($1)", [rows[0]!.pid]);
      const gone = "select count(*)::int as n from pg_stat_activity where pid = $1";
      while ((await other.pool.query(gone, [rows[0]!.pid])).rows[0].n > 0);
      await setImmediate(); // The event loop reads the connection's end before the next query.
      await store.createAccount(trx, { name: "never" });
    });
    await assert.rejects(outcome, store.isDatabaseUnavailable);
    assert.deepEqual(await store.listAccounts(s.db), []);
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
    const settings = { strictness: "normal", quality: "best", refusal: null, stayLocal: false, writer: null };
    assert.deepEqual(await store.talkContext(s.pool, digest), { holder, settings, model: undefined });
    assert.equal(await store.talkContext(s.pool, randomBytes(32)), undefined);
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
    assert.equal(await store.talkContext(s.pool, digest), undefined);
    assert.deepEqual(await store.listKeys(s.db, chatbot.id), []);
  });

  test("settings that are not named stay as they are, and a question finds all of them with its key", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const digest = randomBytes(32);
    await newKey(s.db, chatbot.id, digest);
    const changed = {
      strictness: "high",
      quality: "best",
      refusal: "Ask us.",
      stayLocal: true,
      writer: "gguf",
    } as const;
    assert.deepEqual(await store.changeSettings(s.db, chatbot.id, changed), changed);
    const again = { strictness: undefined, refusal: null, writer: null };
    assert.deepEqual(await store.changeSettings(s.db, chatbot.id, again), { ...changed, refusal: null, writer: null });
    assert.deepEqual((await store.talkContext(s.pool, digest))?.settings, { ...changed, refusal: null, writer: null });
    assert.equal((await store.changeSettings(s.db, chatbot.id, {}))?.strictness, "high");
  });

  test("a chatbot's rows are reached through its owner alone", async () => {
    const s = await databases.newStore();
    const mine = await newChatbot(s);
    const theirs = await newChatbot(s);
    const sibling = await store.createChatbot(s.db, mine.account.id, { title: "sibling" });
    const keyId = await newKey(s.db, mine.chatbot.id);
    const ready = await newReadyModel(s, mine.chatbot.id);
    const queued = await newQueuedModel(s, mine.chatbot.id);
    const answering = { id: ready.modelId, tombstones: [] };
    const kept = exchange("uid", new Date());
    await store.saveExchange(s.db, mine.chatbot.id, kept, answering);
    await store.beginIdempotent(s.db, mine.chatbot.id, "key", "fingerprint", 60_000);
    const asked = { question: "Why?", terms: ["why"], closest: [], modelId: ready.modelId, at: new Date(0) };
    await store.noteUnanswered(s.db, mine.chatbot.id, asked);
    const [group] = await store.listUnanswered(s.db, mine.chatbot.id, { offset: 0, limit: 9 });
    const correction = { ...trainingData(), id: newId() };
    await store.answerUnanswered(s.db, mine.chatbot.id, group!.id, { ...correction, id: newId() });
    await store.noteUnanswered(s.db, mine.chatbot.id, { ...asked, terms: ["where"], question: "Where?" });
    const claimed = await store.claimEvent(s.db, mine.chatbot.id, queued.eventId);
    const before = await everything(mine.chatbot.id);

    assert.equal(await store.findChatbot(s.db, theirs.account.id, mine.chatbot.id), undefined);
    assert.deepEqual(await store.listChatbots(s.db, theirs.account.id), [theirs.chatbot]);
    assert.deepEqual(await store.findDefaultChatbot(s.db, theirs.account.id), theirs.chatbot);
    for (const { id: other } of [theirs.chatbot, sibling]) {
      const failure = { stage: "text", cause: "", fix: "" };
      const result = { artifactDigest: "a", artifactBytes: 1, retrieval: "lexical", evaluation: {} };
      for (const modelId of [ready.modelId, queued.modelId, NOWHERE]) {
        assert.equal(await store.findModel(s.db, other, modelId), undefined);
        assert.equal(await store.pinModel(s.db, other, modelId), false);
        assert.equal(await store.deleteModel(s.db, other, modelId), false);
        assert.deepEqual(await store.modelDocuments(s.db, other, modelId), []);
        assert.equal(await store.previousEvaluation(s.db, other, modelId), undefined);
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
      const open = await store.listUnanswered(s.db, mine.chatbot.id, { offset: 0, limit: 9 });
      for (const id of [group!.id, open[0]!.id, NOWHERE]) {
        assert.equal(await store.findWordings(s.db, other, id), undefined);
        assert.equal(await store.answerUnanswered(s.db, other, id, correction), false);
        assert.equal(await store.dropUnanswered(s.db, other, id), false);
      }
      assert.deepEqual(await store.listUnanswered(s.db, other, { offset: 0, limit: 9 }), []);
      assert.deepEqual(await store.listCorrections(s.db, other), []);
      await store.noteUnanswered(s.db, other, { ...asked, question: "Theirs?" });
      for (const id of [keyId, NOWHERE]) assert.equal(await store.revokeKey(s.db, other, id), false);
      assert.equal((await store.changeSettings(s.db, other, { refusal: "theirs" }))?.refusal, "theirs");
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
      assert.equal(await store.saveExchange(s.db, other, exchange("uid", new Date()), answering), false);
      assert.equal(await store.extendReply(s.db, other, exchange("uid", new Date()), answering), false);
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
        await store.changeSettings(s.db, chatbotId, {}),
        await store.listUnanswered(s.db, chatbotId, { offset: 0, limit: 9 }),
        await store.findWordings(s.db, chatbotId, group!.id),
        await store.listCorrections(s.db, chatbotId),
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

  test("a reply that has been kept grows only while its model is as it was", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { modelId } = await newReadyModel(s, chatbot.id);
    const model = { id: modelId, tombstones: [] };
    const kept = exchange("uid", new Date());
    const sent = async () => {
      const [message] = await store.listMessages(s.db, chatbot.id, { uid: "uid", offset: 0, limit: 9 });
      const [conversation] = await store.listUids(s.db, chatbot.id, { offset: 0, limit: 9 });
      return [message?.send, conversation?.lastSent];
    };
    assert.equal(await store.saveExchange(s.db, chatbot.id, kept, model), true);
    assert.equal(await store.extendReply(s.db, chatbot.id, { ...kept, send: "one two" }, model), true);
    assert.deepEqual(await sent(), ["one two", "one two"]);
    await store.deleteModel(s.db, chatbot.id, modelId);
    assert.equal(await store.extendReply(s.db, chatbot.id, { ...kept, send: "one two three" }, model), false);
    assert.deepEqual(await sent(), ["one two", "one two"]);
  });

  test("no function that takes an owner was left out of the test above", async () => {
    const ownerless = new Set([
      // Of the whole installation.
      ...["createAccount", "listAccounts", "findFirstAccount", "rememberSecretFingerprint", "migrate", "openStore"],
      ...["wasFirstKeyShown", "rememberFirstKeyShown"],
      // Maintenance over all owners, reached by no request.
      ...[
        "expireOverdue",
        "isEventLive",
        "referencedDigests",
        "removeExpiredIdempotent",
        "releaseIdempotent",
        "touchKeys",
      ],
      // How long the queue is in which all wait: a time alone, and nobody learns whose.
      "lastDeadline",
      // By which a request gets its owner.
      "talkContext",
      // Not queries.
      ...["inTransaction", "isDatabaseUnavailable", "newId"],
      // These make the owner's first row; what they make is reached through the others.
      ...["createChatbot", "insertKey", "insertTrainingData"],
    ]);
    const source = await readFile(import.meta.filename, "utf8");
    const functions = Object.entries(store).filter(([, value]) => typeof value === "function");
    const tested = (name: string) =>
      new RegExp(`store\\.${name}\\((?:s\\.db|s\\.pool|trx), (?:other|theirs)`).test(source);
    const untested = functions.map(([name]) => name).filter((name) => !ownerless.has(name) && !tested(name));
    assert.deepEqual(untested, []);
  });

  test("the evaluation before a model's is that of the newest ready model older than it", async () => {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const first = await newReadyModel(s, chatbot.id);
    const second = await newReadyModel(s, chatbot.id);
    const queued = await newQueuedModel(s, chatbot.id);
    const last = await newQueuedModel(s, chatbot.id);
    const before = async (id: string) => (await store.previousEvaluation(s.db, chatbot.id, id))?.modelId;
    assert.equal(await before(first.modelId), undefined);
    assert.equal(await before(second.modelId), first.modelId);
    assert.equal(await before(queued.modelId), second.modelId);
    assert.equal(await before(last.modelId), second.modelId, "one that is not ready does not count");
    await store.deleteModel(s.db, chatbot.id, second.modelId);
    assert.equal(await before(last.modelId), first.modelId);
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

  test("a database belongs to the first encryption key that it met", async () => {
    const s = await databases.newStore();
    const answers = await Promise.all(["a", "a", "a"].map((key) => store.rememberSecretFingerprint(s.db, key)));
    assert.deepEqual(answers, [true, true, true]);
    assert.equal(await store.rememberSecretFingerprint(s.db, "b"), false);
  });

  test("that the first key was shown is remembered", async () => {
    const s = await databases.newStore();
    await store.rememberSecretFingerprint(s.db, "a");
    assert.equal(await store.wasFirstKeyShown(s.db), false);
    await store.rememberFirstKeyShown(s.db);
    assert.equal(await store.wasFirstKeyShown(s.db), true);
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
