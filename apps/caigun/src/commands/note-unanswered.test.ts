import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Reading } from "@caigun/reading";
import { pino } from "pino";
import { useDatabases } from "../../../../testkit/databases.ts";
import { newChatbot, newReadyModel } from "../../../../testkit/rows.ts";
import { listUnanswered } from "../store/index.ts";
import { noteUnanswered } from "./note-unanswered.ts";

const reading = (answered: boolean, confidence: number): Reading => ({
  text: "",
  citations: [],
  answered,
  confidence,
  threshold: 0.3,
  candidate: { text: "The shop is in the yard.", citations: [] },
  passages: [],
});

describe("what is noted as unanswered", () => {
  const databases = useDatabases();

  async function newNotes() {
    const store = await databases.newStore();
    const { chatbot } = await newChatbot(store);
    const { modelId } = await newReadyModel(store, chatbot.id);
    const logged: string[] = [];
    const log = pino({ level: "warn" }, { write: (line: string) => logged.push(line) });
    const note = (question: string, read = reading(false, 0.1)) =>
      noteUnanswered({ store, log }, { chatbotId: chatbot.id }, { question, reading: read, closest: [], modelId });
    const list = async () =>
      (await listUnanswered(store.db, chatbot.id, { offset: 0, limit: 99 })).map(({ count, wordings }) => [
        count,
        wordings[0],
      ]);
    return { store, note, list, logged };
  }

  it("is what was refused, and what was answered with a confidence near the threshold", async () => {
    const { note, list } = await newNotes();
    await note("refused", reading(false, 0.1));
    await note("unsure", reading(true, 0.35));
    await note("certain", reading(true, 0.45));
    assert.deepEqual((await list()).map(([, wording]) => wording).toSorted(), ["refused", "unsure"]);
  });

  it("is one question where only words that say little differ, and two where another thing is asked", async () => {
    const { note, list } = await newNotes();
    for (const question of [
      "Do you sell gift vouchers?",
      "GIFT VOUCHERS: DO YOU SELL ANY?",
      "do you sell a gift voucher",
      "你們有賣禮券嗎？",
      "有賣禮券嗎",
      "Do you sell gloves?",
    ])
      await note(question);
    assert.deepEqual(
      (await list()).map(([count]) => count),
      [3, 2, 1],
    );
  });

  it("is two questions where a number or a negation differs, which the same answer would not fit", async () => {
    const { note, list } = await newNotes();
    const questions = [
      "What does a 2 day rental of a city bike cost in summer?",
      "What does a 3 day rental of a city bike cost in summer?",
      "Can I return a bike?",
      "Can't I return a bike?",
      "Can I rent a city bike with paying a deposit?",
      "Can I rent a city bike without paying a deposit?",
      "租兩天單車多少錢？",
      "租三天單車多少錢？",
    ];
    for (const question of questions) await note(question);
    assert.deepEqual((await list()).map(([, wording]) => wording).toSorted(), questions.toSorted());
    await note("what does a two day rental of a city bike cost in summer");
    assert.equal((await list())[0]?.[0], 2);
  });

  it("is cut where it is long", async () => {
    const { note, list, store } = await newNotes();
    await note(`${"𠮷".repeat(2_000)} ${"x".repeat(5_000)}`);
    assert.equal((await list())[0]?.[1], "𠮷".repeat(1_000));
    const { rows } = await store.pool.query(
      "select max(length(term)) as longest from unanswered, unnest(terms) as term",
    );
    assert(Number(rows[0].longest) <= 100);
  });

  it("is looked at as far as it is noted, so that a long one holds nobody up", async () => {
    const { note, list } = await newNotes();
    const asked = `Is there a sauna on the roof${" or in the house".repeat(100)}`;
    await note(`${asked} ${"㍰".repeat(20_000)}`);
    await note(`${asked}, and not ${"7 8 9 ".repeat(2_000)}`);
    assert.deepEqual(
      (await list()).map(([count]) => count),
      [2],
    );
  });

  it("is also what has no word with content, or no word at all", async () => {
    const { note, list } = await newNotes();
    for (const question of ["Who are you?", "who are you", "👍?", "👍?", "🤷"]) await note(question);
    assert.deepEqual(
      (await list()).map(([count]) => count),
      [2, 2, 1],
    );
  });

  it("is lost where the database can't be written, and the log says so: the reply goes out all the same", async () => {
    const { store, note, logged } = await newNotes();
    await store.pool.query("drop table unanswered");
    await note("anything");
    assert.equal(logged.length, 1);
    assert.match(logged[0]!, /can't note a question/);
    assert.doesNotMatch(logged[0]!, /anything/, "what people say is in no log");
  });
});
