import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { sql } from "kysely";
import { type ChatbotId, deleteTrainingData, inTransaction } from "../apps/caigun/src/store/index.ts";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import { type Chatbot, newChatbot, type OpenHouse, openHouse, readEvents } from "../testkit/chatbot.ts";
import { eventually } from "../testkit/faults/eventually.ts";
import { type Behaviour, startWriterServer, type WriterServer } from "../testkit/writers/writer-server.ts";

const SECRET = "The office opens at 9 am and closes at 5 pm.";
const QUESTION = "When does the office open?";
const LIMIT_MS = 20_000;

type Trained = { chatbot: Chatbot; remove(): Promise<void> };

// What the API promises: what is deleted is in no reply from the moment that the deletion is told to be done.
describe("a text that is deleted while a question about it is answered", { concurrency: false }, () => {
  let behave: () => Behaviour | Promise<Behaviour> = () => ({ text: "NOT_IN_TEXT" });
  let server: WriterServer;
  let caigun: RunningCaigun;
  let house: OpenHouse;

  before(async () => {
    server = await startWriterServer("openai", () => behave());
    caigun = await startCaigun({ env: { CAIGUN_OPENAI_BASE_URL: server.baseUrl, CAIGUN_OPENAI_MODEL: "test" } });
    house = await openHouse(caigun);
  });
  after(async () => {
    await house[Symbol.asyncDispose]();
    await caigun.remove();
    await server.close();
  });

  /** A chatbot of its own that knows the text, and how the text is deleted. */
  async function trainedChatbot(writer: "openai" | "none"): Promise<Trained> {
    const chatbot = await newChatbot(caigun, house);
    await chatbot.ready(`${SECRET} Parking costs 4 pounds a day.`);
    await chatbot.get("settings", { method: "PATCH", json: { writer } });
    const { citations } = await chatbot.ask(QUESTION, { uid: "before" });
    const id = citations[0]!.training_data_id;
    return {
      chatbot,
      async remove() {
        const { rows } = await sql<{ chatbot_id: ChatbotId }>`
          select chatbot_id from training_data where id = ${id}`.execute(house.store.db);
        assert.equal(await deleteTrainingData(house.store.db, rows[0]!.chatbot_id, id), true);
      },
    };
  }

  async function assertUnknown(chatbot: Chatbot, uid: string): Promise<void> {
    const { messages } = await chatbot.get<{ messages: { send: string }[] }>("messages", { headers: { uid } });
    assert(messages.every(({ send }) => !send.includes("9 am")));
  }

  it("is in no reply that was read and not kept yet", async () => {
    const { chatbot, remove } = await trainedChatbot("none");
    let asking: ReturnType<Chatbot["ask"]> | undefined;
    // Whoever keeps a reply waits for this transaction: the text has been read then.
    await inTransaction(house.store.db, async (trx) => {
      await sql`lock table message in access exclusive mode`.execute(trx);
      asking = chatbot.ask(QUESTION, { uid: "reading", query: "?explain=true" });
      asking.catch(() => undefined);
      await eventually("the reply waits to be kept", LIMIT_MS, async () => {
        const { rows } = await sql<{ waiting: boolean }>`
          select exists (select from pg_locks where relation = 'message'::regclass and not granted) as waiting`.execute(
          trx,
        );
        return rows[0]?.waiting;
      });
      await remove();
    });
    const reply = await asking!;
    assert.equal(reply.answered, false);
    assert(!JSON.stringify(reply).includes("9 am"), JSON.stringify(reply));
    await assertUnknown(chatbot, "reading");
  });

  it("is in no reply that a writer was wording", async () => {
    const { chatbot, remove } = await trainedChatbot("openai");
    behave = async () => {
      await remove();
      behave = () => ({ text: SECRET });
      return { text: SECRET };
    };
    const reply = await chatbot.ask(QUESTION, { uid: "writing", query: "?explain=true" });
    assert.equal(reply.answered, false);
    assert(!JSON.stringify(reply).includes("9 am"), JSON.stringify(reply));
    await assertUnknown(chatbot, "writing");
  });

  it("is in nothing that follows what a person has read of a streamed reply", async () => {
    const { chatbot, remove } = await trainedChatbot("openai");
    const isRead = Promise.withResolvers<void>();
    behave = () => ({
      texts: (async function* () {
        yield `${SECRET} The office `;
        await isRead.promise;
        await remove();
        yield "closes at 5 pm. ";
      })(),
    });
    const response = await chatbot.say(QUESTION, { uid: "streamed", headers: { accept: "text/event-stream" } });
    let stream = "";
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      stream += text;
      if (stream.includes("9 am")) isRead.resolve();
    }
    const { event, data } = readEvents(stream).at(-1)!;
    assert.deepEqual({ event, text: data.text }, { event: "done", text: SECRET });
    const { answered } = await chatbot.ask(QUESTION, { uid: "streamed" });
    assert.equal(answered, false);
  });
});
