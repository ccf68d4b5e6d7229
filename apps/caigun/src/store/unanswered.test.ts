import assert from "node:assert/strict";
import { test } from "node:test";
import { describeOnEachBackend } from "../../../../testkit/databases.ts";
import { newChatbot, newQueuedModel, newReadyModel, trainingData } from "../../../../testkit/rows.ts";
import * as store from "./index.ts";

const { newId } = store;
const page = { offset: 0, limit: 2_000 };

describeOnEachBackend("unanswered questions", (databases) => {
  /** A chatbot with a model, and what notes that this model could not answer. */
  async function newList() {
    const s = await databases.newStore();
    const { chatbot } = await newChatbot(s);
    const { modelId, trainingDataId } = await newReadyModel(s, chatbot.id);
    const note = (question: string, terms: string[], more: Partial<store.AskedInVain> = {}) =>
      store.noteUnanswered(s.db, chatbot.id, { question, terms, closest: [], modelId, at: new Date(), ...more });
    const list = () => store.listUnanswered(s.db, chatbot.id, page);
    return { s, chatbot, trainingDataId, note, list };
  }

  test("are one where they share most of what they are about, the most alike first", async () => {
    const { note, list } = await newList();
    await note("gift vouchers of paper", ["gift", "voucher", "paper"]);
    await note("gift vouchers of paper and card", ["gift", "voucher", "paper", "card"]);
    await note("gift vouchers", ["gift", "voucher"]);
    await note("paper gift voucher", ["paper", "gift", "voucher"]);
    const groups = await list();
    assert.deepEqual(
      groups.map(({ count, wordings }) => [count, wordings]),
      [
        [3, ["paper gift voucher", "gift vouchers of paper and card", "gift vouchers of paper"]],
        [1, ["gift vouchers"]],
      ],
      "two of three is not enough, three of four is",
    );
  });

  test("asked at the same moment are one where they are the same", async () => {
    const { note, list } = await newList();
    await Promise.all(Array.from({ length: 6 }, () => note("the same?", ["same"])));
    assert.deepEqual(
      (await list()).map(({ count, wordings }) => [count, wordings]),
      [[6, ["the same?"]]],
    );
  });

  test("keep their ten latest wordings, exactly as they came", async () => {
    const { note, list } = await newList();
    const odd = 'a {b}, "c" \\ \u001a, NULL?';
    for (let n = 0; n < 12; n++) await note(`wording ${n}`, ["wording"]);
    await note(odd, ["wording"]);
    await note("wording 5", ["wording"]);
    const [group] = await list();
    assert.equal(group?.wordings.length, 10);
    assert.deepEqual(group.wordings.slice(0, 3), ["wording 5", odd, "wording 11"]);
    assert.equal(group.count, 14);
  });

  test("are a thousand open groups at most: the one asked least recently goes", async () => {
    const { s, chatbot, note, list } = await newList();
    await note("the oldest", ["oldest"], { at: new Date(1_000) });
    await note("the oldest but one", ["second"], { at: new Date(2_000) });
    await s.pool.query(
      `insert into unanswered (id, chatbot_id, wordings, terms, terms_digest, closest, last_asked_at)
      select gen_random_uuid(), $1, array['w' || n], array['t' || n], n::text::bytea, '[]', to_timestamp(3000 + n)
      from generate_series(1, 998) as n`,
      [chatbot.id],
    );
    assert.equal((await list()).length, 1_000);
    await note("the oldest again", ["oldest"]);
    assert.equal((await list()).length, 1_000, "no group was begun");
    await note("one more", ["more"]);
    const wordings = (await list()).flatMap((group) => group.wordings);
    assert(
      !wordings.includes("the oldest but one") && wordings.includes("the oldest") && wordings.includes("one more"),
    );
    assert.equal((await list()).length, 1_000);
  });

  test("that were answered are open again only where a model trained later could not answer either", async () => {
    const { s, chatbot, note, list } = await newList();
    await note("why?", ["why"]);
    const [group] = await list();
    const correction = { ...trainingData(), id: newId() };
    assert.equal(await store.answerUnanswered(s.db, chatbot.id, group!.id, correction), true);
    await note("but why?", ["why"]);
    assert.deepEqual(await list(), []);
    assert.deepEqual(await store.findWordings(s.db, chatbot.id, group!.id), ["but why?", "why?"]);
    const later = await newQueuedModel(s, chatbot.id);
    await note("why?", ["why"], { modelId: later.modelId });
    const [again] = await list();
    assert.deepEqual([again?.id, again?.count], [group!.id, 3]);
  });

  test("have one correction each, which outlives its group and is none once it is deleted", async () => {
    const { s, chatbot, note, list } = await newList();
    const corrections = async () => (await store.listCorrections(s.db, chatbot.id)).map(({ id }) => id);
    await note("why?", ["why"]);
    const [group] = await list();
    const [first, second] = [newId(), newId()];
    await store.answerUnanswered(s.db, chatbot.id, group!.id, { ...trainingData(), id: first });
    assert.deepEqual(await corrections(), [first]);
    await store.answerUnanswered(s.db, chatbot.id, group!.id, { ...trainingData(), id: second });
    assert.deepEqual(await corrections(), [second]);
    assert.notEqual(await store.findTrainingData(s.db, chatbot.id, first), undefined, "models still cite it");
    const listed = await store.listTrainingData(s.db, chatbot.id);
    assert.deepEqual(
      listed.map(({ id }) => id),
      [second],
    );
    await store.deleteTrainingData(s.db, chatbot.id, second);
    assert.deepEqual(await corrections(), []);
  });

  test("that are dropped after they came back end their correction, which nobody could change any more", async () => {
    const { s, chatbot, note, list } = await newList();
    const corrections = async () => (await store.listCorrections(s.db, chatbot.id)).length;
    const reopen = async (term: string) => {
      await note(term, [term], { at: new Date(1_000) });
      const group = (await list()).find(({ wordings }) => wordings[0] === term);
      await store.answerUnanswered(s.db, chatbot.id, group!.id, { ...trainingData(), id: newId() });
      const { modelId } = await newQueuedModel(s, chatbot.id);
      await note(term, [term], { modelId, at: new Date(1_000) });
      return group!.id;
    };
    const id = await reopen("why");
    assert.equal(await corrections(), 1);
    assert.equal(await store.dropUnanswered(s.db, chatbot.id, id), true);
    assert.equal(await corrections(), 0);
    await reopen("where");
    await s.pool.query(
      `insert into unanswered (id, chatbot_id, wordings, terms, terms_digest, closest, last_asked_at)
      select gen_random_uuid(), $1, array['w' || n], array['t' || n], n::text::bytea, '[]', to_timestamp(3000 + n)
      from generate_series(1, 999) as n`,
      [chatbot.id],
    );
    assert.equal(await corrections(), 1);
    await note("one more", ["more"]);
    assert.equal(await corrections(), 0);
    assert.equal((await list()).length, 1_000);
  });

  test("are two where what they must share differs, and it counts for nothing else", async () => {
    const { note, list } = await newList();
    await note("2 days", ["day", "rent"], { distinctions: ["2"] });
    await note("3 days", ["day", "rent"], { distinctions: ["3"] });
    await note("days", ["day", "rent"]);
    await note("two days", ["rent", "day"], { distinctions: ["2"] });
    await note("2, 4, 6, 8 bikes", ["bike"], { distinctions: ["2", "4", "6", "8"] });
    await note("2, 4, 6, 8 locks", ["lock"], { distinctions: ["2", "4", "6", "8"] });
    assert.deepEqual(
      (await list()).map(({ count }) => count),
      [2, 1, 1, 1, 1],
    );
  });

  test("cite nothing that was deleted since", async () => {
    const { s, chatbot, trainingDataId, note, list } = await newList();
    await note("why?", ["why"], { closest: [{ training_data_id: trainingDataId, quote: "Because." }] });
    assert.equal((await list())[0]?.closest[0]?.quote, "Because.");
    await store.deleteTrainingData(s.db, chatbot.id, trainingDataId);
    assert.deepEqual((await list())[0]?.closest, []);
  });
});
