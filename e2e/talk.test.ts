import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import {
  assertProblem,
  type Chatbot,
  type CitationReply,
  type ConversationReply,
  newChatbot,
  openHouse,
  readEvents,
} from "../testkit/chatbot.ts";

describe("talking", () => {
  let caigun: RunningCaigun;
  before(async () => {
    caigun = await startCaigun();
  });
  after(() => caigun.remove());

  /** A chatbot of its own for each text, so that the tests can run in any order. */
  async function trainedOn(text: string, title?: string): Promise<Chatbot> {
    await using house = await openHouse(caigun);
    const chatbot = await newChatbot(caigun, house);
    await chatbot.ready(text, title);
    return chatbot;
  }

  /** Every citation is the slice of code points that it says it is, of the text as it was sent. */
  async function assertExact(chatbot: Chatbot, sent: string, citations: readonly CitationReply[]): Promise<void> {
    assert(citations.length > 0, "there is something to check");
    const codePoints = Array.from(sent);
    for (const { training_data_id, start, end, quote, text_sha256 } of citations) {
      const { text } = await chatbot.get<{ text: string }>(`training_data/${training_data_id}/text`);
      assert.equal(text, sent, "the text as it was sent");
      assert.equal(codePoints.slice(start, end).join(""), quote);
      assert.equal(text_sha256, createHash("sha256").update(sent).digest("hex"));
    }
  }

  const hostile: Record<string, { text: string; question: string; holds: string }> = {
    "emoji, families and flags": {
      text: "👩‍👩‍👧‍👦 Welcome to Löwe 🦁! 🏳️‍🌈🇩🇪\n\nThe keeper 👨🏽‍🌾 feeds the lions 🦁🦁 at half past four 🕟. The café ☕️ is closed.",
      question: "When does the keeper feed the lions?",
      holds: "half past four",
    },
    "CRLF, tabs and a byte order mark": {
      text: "\ufeffOpening hours\r\n\r\nThe office\topens at\r\nnine in the morning.\r\n\r\nParking costs three\r\neuros an hour.\r\n",
      question: "What does parking cost an hour?",
      holds: "three",
    },
    "decomposed and stacked combining characters": {
      text: "Le cafe\u0301 de l'E\u0301toile sert des cre\u0302pes.\n\nLe muse\u0301e ouvre a\u0300 dix heures. Z\u0336\u0335\u0337a\u0338\u0334l\u0335go\u0336 est absent.",
      question: "À quelle heure ouvre le musée ?",
      holds: "dix heures",
    },
    "Arabic with vowel marks": {
      text: "يُفْتَحُ المَتْحَفُ في الساعة التاسعة صباحًا. تبلغ تكلفة الوقوف ثلاثة يورو في الساعة.\n\nالمكتبة مغلقة يوم الجمعة.",
      question: "متى تكون المكتبة مغلقة؟",
      holds: "الجمعة",
    },
    "Hebrew between Latin, with direction marks": {
      text: "Rules \u200fהחניה עולה שלושה אירו לשעה\u200e. The gym is free.\n\nהספרייה נפתחת בשעה שמונה בבוקר.",
      question: "באיזו שעה נפתחת הספרייה?",
      holds: "שמונה",
    },
    "full-width forms and ligatures": {
      text: "Ｔｈｅ ｏｆｆｉｃｅ ｏｐｅｎｓ ａｔ ｎｉｎｅ． The ﬁrst ﬂoor holds the archive.\n\nThe cellar holds wine.",
      question: "What does the first floor hold?",
      holds: "archive",
    },
  };
  for (const [name, { text, question, holds }] of Object.entries(hostile)) {
    it(`quotes exactly, by code points: ${name}`, async () => {
      const chatbot = await trainedOn(text);
      const reply = await chatbot.ask(question, { query: "?explain=true" });
      assert(reply.candidate!.text.includes(holds), reply.candidate!.text);
      await assertExact(chatbot, text, [...reply.citations, ...reply.candidate!.citations]);
      const length = Array.from(text).length;
      for (const { start, end } of reply.passages!) assert(start >= 0 && start < end && end <= length);
    });
  }

  it("Traditional and Simplified questions are answered on either text", async () => {
    const traditional = "圖書館每天早上九點開門。停車費是每小時三歐元。\n\n健身房在三樓，淋浴間在地下室。";
    const simplified = "图书馆每天早上九点开门。停车费是每小时三欧元。\n\n健身房在三楼，淋浴间在地下室。";
    for (const [text, opening] of [
      [traditional, "圖書館每天早上九點開門。"],
      [simplified, "图书馆每天早上九点开门。"],
    ] as const) {
      const chatbot = await trainedOn(text);
      for (const question of ["圖書館什麼時候開門？", "图书馆什么时候开门？"]) {
        const reply = await chatbot.ask(question);
        assert.deepEqual([reply.answered, reply.text], [true, opening], question);
        await assertExact(chatbot, text, reply.citations);
      }
    }
  });

  it("text of questions and answers replies with the answer", async () => {
    const text =
      "Q: How do I reset my password?\nA: Press the blue link below the sign-in form. A mail comes within a minute.\n\n" +
      "Q: Which cards do you take?\nA: Visa and Mastercard.\n\n問：你們幾點關門？\n答：晚上八點。";
    const chatbot = await trainedOn(text, "FAQ");
    const password = await chatbot.ask("I forgot my password, how can I reset it?");
    assert.match(password.text, /^Press the blue link below the sign-in form\./);
    assert.doesNotMatch(password.text, /How do I/);
    assert.match((await chatbot.ask("Which cards do you take?")).text, /^Visa and Mastercard\.$/);
    assert.match((await chatbot.ask("你們幾點關門？")).text, /^晚上八點。$/);
    await assertExact(chatbot, text, password.citations);
  });

  it("says that the text does not hold the answer, in the question's language", async () => {
    const chatbot = await trainedOn("The office opens at nine in the morning.\n\nParking costs three euros an hour.");
    const refusals: [string, RegExp][] = [
      ["Who painted the ceiling of the Sistine Chapel?", /^I can't find an answer/],
      ["誰畫了西斯汀教堂的天花板？", /^在我學習過的文本中沒有找到/],
    ];
    for (const [question, refusal] of refusals) {
      const reply = await chatbot.ask(question);
      assert.deepEqual([reply.answered, reply.citations], [false, []]);
      assert.match(reply.text, refusal);
    }
  });

  it("streamed, the pieces joined are the text of done, which is the whole reply", async () => {
    const chatbot = await trainedOn(
      "The office opens at nine in the morning.\n\n圖書館每天早上九點開門。 停車費是每小時三歐元。",
    );
    for (const question of ["When does the office open?", "圖書館什麼時候開門？", "Who painted the Sistine Chapel?"]) {
      const accepted = ["text/event-stream", "application/json;q=0.5, text/event-stream"];
      for (const accept of accepted) {
        const response = await chatbot.say(question, { query: "?explain=true", headers: { accept } });
        assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
        const events = readEvents(await response.text());
        const done = events.pop()!;
        assert.equal(done.event, "done");
        assert(events.every(({ event }) => event === "delta"));
        assert.equal(events.map(({ data }) => data.text).join(""), done.data.text);
        const reply = done.data as unknown as ConversationReply;
        assert.equal(typeof reply.confidence, "number");
        const plain = await chatbot.ask(question, { query: "?explain=true" });
        assert.deepEqual({ ...reply, message_id: "" }, { ...plain, message_id: "" });
        const { messages } = await chatbot.get<{ messages: { id: string; send: string }[] }>("messages", {
          headers: { uid: "someone" },
        });
        assert(messages.some(({ id, send }) => id === reply.message_id && send === reply.text));
      }
    }
  });

  it("streamed, what is refused before the first piece is an ordinary error", async () => {
    await using house = await openHouse(caigun);
    const chatbot = await newChatbot(caigun, house);
    const accept = "text/event-stream";
    const response = await chatbot.say("Hello?", { headers: { accept } });
    assert.match(response.headers.get("content-type")!, /^application\/json/);
    await assertProblem(response, 400, "no_model");
    const invalid = await chatbot.call("conversation", { method: "POST", headers: { accept, uid: "a" }, json: {} });
    await assertProblem(invalid, 400, "validation_failed");
  });
});
