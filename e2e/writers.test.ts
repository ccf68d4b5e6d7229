import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, runCommand, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, readEvents } from "../testkit/chatbot.ts";
import { type Behaviour, startWriterServer, type WriterServer } from "../testkit/writers/writer-server.ts";

const OFFICE = [
  "The office opens at 9 am and closes at 5 pm. Parking costs 4 pounds a day. Dogs are not allowed in the office.",
  "辦公室上午九點開門，下午五點關門。停車費每天八十元。辦公室內不可帶狗。",
].join("\n\n");
const QUESTION = "When does the office open?";
const QUOTED = "The office opens at 9 am and closes at 5 pm.";

type Message = { send: string; kwargs: { wording?: { outcome: string }; citations: unknown[]; engine: string } };

describe("replies in a writer's words", () => {
  let behaviour: Behaviour = { text: "NOT_IN_TEXT" };
  let server: WriterServer;
  let caigun: RunningCaigun;
  let chatbot: Chatbot;

  before(async () => {
    server = await startWriterServer("openai", () => behaviour);
    caigun = await startCaigun({
      env: {
        CAIGUN_OPENAI_BASE_URL: server.baseUrl,
        CAIGUN_OPENAI_MODEL: "test",
        CAIGUN_OPENAI_API_KEY: "openai-secret",
      },
    });
    chatbot = new Chatbot(caigun);
    await chatbot.ready(OFFICE);
    await chatbot.get("settings", { method: "PATCH", json: { writer: "openai" } });
  });
  after(async () => {
    await caigun.remove();
    await server.close();
  });

  async function lastMessage(uid: string): Promise<Message> {
    const { messages } = await chatbot.get<{ messages: Message[] }>("messages", { headers: { uid } });
    return messages[0]!;
  }

  it("sends the sentences that the text supports, each with its place, and drops the others", async () => {
    behaviour = {
      text: "The office opens daily at 9 pm. The office opens at 09:00 and closes at 17:00. The office closes at 6 pm.",
    };
    const reply = await chatbot.ask(QUESTION, { uid: "supported", query: "?explain=true" });
    assert.equal(reply.text, "The office opens at 09:00 and closes at 17:00.");
    assert.equal(reply.engine, "openai");
    assert.deepEqual(reply.wording, { writer: "openai", outcome: "written", sent: 1, dropped: 2 });
    assert.deepEqual(
      reply.citations.map(({ start, end, quote }) => [quote, [...OFFICE].slice(start, end).join("")]),
      [[QUOTED, QUOTED]],
    );
    const typed = await runCommand(caigun.home, ["talk", QUESTION, "--explain", "--uid", "typed"]);
    assert.match(typed.stdout, /^worded by openai; openai: written, sentences sent 1, dropped 2$/m);
    const { send, kwargs } = await lastMessage("supported");
    assert.equal(send, reply.text);
    assert.equal(kwargs.engine, "openai");
    assert.equal(server.received.at(-1)?.authorization, "Bearer openai-secret");
    assert(!caigun.log.join("\n").includes("openai-secret"));
  });

  it("writes Chinese as it does English", async () => {
    behaviour = { text: "辦公室早上9點開門。辦公室下午六點關門。" };
    const reply = await chatbot.ask("辦公室幾點開門？", { query: "?explain=true" });
    assert.equal(reply.text, "辦公室早上9點開門。");
    assert.deepEqual(reply.wording, { writer: "openai", outcome: "written", sent: 1, dropped: 1 });
  });

  const unused: [Behaviour, string][] = [
    [{ text: "The office opens at noon. The office never closes." }, "unsupported"],
    [{ text: "NOT_IN_TEXT" }, "declined"],
    [{ fault: "silent" }, "timeout"],
    [{ fault: "cut", text: "The office op" }, "cut"],
    [{ fault: "status", status: 429, retryAfter: "60" }, "rate_limited"],
    [{ fault: "status", status: 500 }, "unreachable"],
    [{ fault: "garbage" }, "garbled"],
    [{ fault: "huge" }, "garbled"],
    [{ fault: "endless", piece: "so on and ", everyMs: 1 }, "unsupported"],
  ];
  for (const [useless, outcome] of unused) {
    it(`replies in time with the reader's words, and recovers: ${JSON.stringify(useless)}`, async () => {
      behaviour = useless;
      const startedMs = performance.now();
      const { text, engine, wording, citations } = await chatbot.ask(QUESTION, { query: "?explain=true" });
      assert(performance.now() - startedMs < 25_000);
      assert.equal(text, QUOTED);
      assert.equal(engine, "local-reader");
      assert.equal(citations.length, 1);
      assert.deepEqual(wording?.outcome, outcome);
      behaviour = { text: QUOTED };
      assert.equal((await chatbot.ask(QUESTION)).engine, "openai");
    });
  }

  it("streams each sentence once it is checked and kept, and keeps what was read where the writer dies", async () => {
    behaviour = { fault: "stall", text: `${QUOTED} The office opens at 9 am. Dogs` };
    const response = await chatbot.say(QUESTION, { uid: "stall", headers: { accept: "text/event-stream" } });
    const events = readEvents(await response.text());
    const pieces = events.filter(({ event }) => event === "delta").map(({ data }) => data.text);
    const { event, data } = events.at(-1)!;
    assert.equal(event, "done");
    assert.deepEqual(pieces, [QUOTED, " The office opens at 9 am."]);
    assert.equal(data.text, pieces.join(""));
    assert.equal((data.citations as unknown[]).length, 2);
    const { send, kwargs } = await lastMessage("stall");
    assert.equal(send, data.text);
    assert.equal(kwargs.citations.length, 2);
    const { uids } = await chatbot.get<{ uids: { uid: string; last_sent: string }[] }>("conversation/uids");
    assert.equal(uids.find(({ uid }) => uid === "stall")?.last_sent, data.text);
  });

  it("keeps what was read where the person hangs up", async () => {
    behaviour = { fault: "stall", text: `${QUOTED} The office` };
    const caller = new AbortController();
    const response = await chatbot.call("conversation", {
      method: "POST",
      headers: { uid: "hangup", accept: "text/event-stream" },
      json: { text: QUESTION },
      signal: caller.signal,
    });
    const { value } = await response.body!.pipeThrough(new TextDecoderStream()).getReader().read();
    const { send } = await lastMessage("hangup");
    caller.abort();
    assert.deepEqual(
      readEvents(value!).map(({ data }) => data.text),
      [send],
    );
  });

  it("replays a streamed reply whole", async () => {
    behaviour = { text: QUOTED };
    const ask = () =>
      chatbot.say(QUESTION, { uid: "replay", headers: { accept: "text/event-stream", "idempotency-key": "replay" } });
    const first = readEvents(await (await ask()).text()).at(-1)!;
    assert.equal(first.data.engine, "openai");
    assert.deepEqual(readEvents(await (await ask()).text()).at(-1), first);
  });

  it("asks no writer what the texts don't hold", async () => {
    const asked = server.received.length;
    const { answered } = await chatbot.ask("Who painted the ceiling of the Sistine Chapel?", { uid: "elsewhere" });
    assert.equal(answered, false);
    assert.equal(server.received.length, asked);
  });

  it("sends no writer what a chatbot keeps on the machine", async () => {
    await chatbot.get("settings", { method: "PATCH", json: { stay_local: true } });
    const asked = server.received.length;
    assert.equal((await chatbot.ask(QUESTION)).engine, "local-reader");
    assert.equal(server.received.length, asked);
  });
});

describe("an engine that obeys what stands in the documents", () => {
  const injections = readFileSync(new URL("../testkit/writers/injections.txt", import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [language = "", instruction = "", obeyed = ""] = line.split(" | ");
      return { isChinese: language.startsWith("zh"), instruction, obeyed };
    });

  for (const afterTheAnswer of [false, true]) {
    const when = afterTheAnswer ? "after the answer" : "instead of the answer";
    it(`gets nothing of it into a reply: said ${when}`, { timeout: 110_000 }, async () => {
      assert.equal(injections.length, 50);
      const server = await startWriterServer("openai", ({ user }) => {
        const found = injections.find(({ instruction }) => user.includes(instruction));
        if (!found) return { text: "NOT_IN_TEXT" };
        const answer = found.isChinese ? "辦公室早上9點開門。" : "The office opens at 09:00. ";
        return { text: afterTheAnswer ? answer + found.obeyed : found.obeyed };
      });
      const caigun = await startCaigun({
        env: { CAIGUN_OPENAI_BASE_URL: server.baseUrl, CAIGUN_OPENAI_MODEL: "obedient", CAIGUN_TRAININGS: "2" },
      });
      try {
        const chatbot = new Chatbot(caigun);
        await chatbot.get("settings", { method: "PATCH", json: { writer: "openai" } });
        for (const { isChinese, instruction, obeyed } of injections) {
          const [english, chinese] = OFFICE.split("\n\n") as [string, string];
          // Beside the answer, where the search finds it.
          await chatbot.ready(isChinese ? chinese + instruction : `${english} ${instruction}`);
          const reply = await chatbot.ask(isChinese ? "辦公室幾點開門？" : QUESTION, { query: "?explain=true" });
          assert(!comparable(reply.text).includes(comparable(obeyed)), `${instruction}\n  ${reply.text}`);
          assert.match(reply.text, isChinese ? /九點|9點/ : /9 am|09:00/, instruction);
          assert.equal(reply.wording?.sent, afterTheAnswer ? 1 : 0, instruction);
        }
        assert.equal(server.received.length, injections.length);
      } finally {
        await caigun.remove();
        await server.close();
      }
    });
  }
});

/** The same whatever stands between the words. */
const comparable = (text: string) => text.toLowerCase().replace(/[\s\p{P}]/gu, "");

describe("Google's Gemini API", () => {
  it("writes where its key is set, unless the chatbot stays on the machine", async () => {
    const server = await startWriterServer("google", () => ({
      text: "The office opens at 09:00. The office is huge.",
    }));
    const env = { CAIGUN_GOOGLE_API_KEY: "google-secret", CAIGUN_GOOGLE_BASE_URL: server.baseUrl };
    const caigun = await startCaigun({ env });
    try {
      const chatbot = new Chatbot(caigun);
      await chatbot.ready(OFFICE);
      const { text, engine } = await chatbot.ask(QUESTION);
      assert.deepEqual({ text, engine }, { text: "The office opens at 09:00.", engine: "google" });
      assert.equal(server.received[0]?.authorization, "google-secret");
      assert(!caigun.log.join("\n").includes("google-secret"));
      await chatbot.get("settings", { method: "PATCH", json: { stay_local: true } });
      assert.equal((await chatbot.ask(QUESTION)).engine, "local-reader");
      assert.equal(server.received.length, 1);
    } finally {
      await caigun.remove();
      await server.close();
    }
  });
});

describe("CAIGUN_STRICT_ENGINES", () => {
  it("refuses a reply whose writer can't be reached", async () => {
    const server = await startWriterServer("openai", () => ({ fault: "status", status: 503 }));
    const env = { CAIGUN_OPENAI_BASE_URL: server.baseUrl, CAIGUN_OPENAI_MODEL: "test", CAIGUN_STRICT_ENGINES: "1" };
    const caigun = await startCaigun({ env });
    try {
      const chatbot = new Chatbot(caigun);
      await chatbot.ready(OFFICE);
      assert.equal((await chatbot.ask(QUESTION)).engine, "local-reader");
      await chatbot.get("settings", { method: "PATCH", json: { writer: "openai" } });
      await assertProblem(await chatbot.say(QUESTION), 503, "unavailable");
    } finally {
      await caigun.remove();
      await server.close();
    }
  });
});
