import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { type Chatbot, type ModelReply, newChatbot, openHouse } from "../testkit/chatbot.ts";
import { type RawConnection, rawConnection } from "../testkit/http-server.ts";

/** As much as the server takes by default, in bytes of UTF-8. */
const MAX_TEXT_BYTES = 20_000_000;
const SLOW_CLIENTS = 1_000;
/** Of the caller that is served meanwhile. */
const ASK_EVERY_MS = 50;

/** A text of exactly `MAX_TEXT_BYTES`: sentences of the phrases, in their midst one that stands there once, x to the end. */
function largeText(phrases: readonly string[], between: string, end: string, once: string): string {
  let random = 1;
  const next = () => {
    // The minimal standard generator of Park and Miller: the same text on every run.
    random = (random * 48_271) % 2_147_483_647;
    return phrases[random % phrases.length]!;
  };
  const paragraphs = Array.from({ length: 500 }, () => {
    const sentence = () => Array.from({ length: 8 }, next).join(between) + end;
    return `${Array.from({ length: 5 }, sentence).join("")}\n\n`;
  });
  const block = paragraphs.join("");
  const blocks = Math.floor((MAX_TEXT_BYTES - 1_000) / Buffer.byteLength(block));
  const half = Math.floor(blocks / 2);
  const text = `${block.repeat(half)}${once}\n\n${block.repeat(blocks - half)}`;
  return text + "x".repeat(MAX_TEXT_BYTES - Buffer.byteLength(text));
}

const english = () =>
  largeText(
    "the harbour,a crate,was counted,in the morning,by the clerk,and carried,to the ship,before noon,with care,under rain,old ropes,new sails".split(
      ",",
    ),
    " ",
    ". ",
    "The blue key lies in the drawer of the bell tower.",
  );
const chinese = () =>
  largeText(
    "港口的,貨物,早上,清點,由職員,搬運,到船上,中午之前,小心,下雨,舊繩子,新帆".split(","),
    "",
    "。",
    "藍色鑰匙放在鐘樓的抽屜裡。",
  );

describe("the largest texts, and many slow clients", () => {
  let caigun: RunningCaigun;
  let chatbots: Record<"english" | "chinese" | "word" | "other", Chatbot>;
  before(async () => {
    caigun = await startCaigun({ env: { CAIGUN_TRAININGS: "2" } });
    await using house = await openHouse(caigun);
    const make = () => newChatbot(caigun, house);
    chatbots = { english: await make(), chinese: await make(), word: await make(), other: await make() };
    await chatbots.other.ready("The office opens at nine in the morning. Parking costs three euros an hour.");
  });
  after(() => caigun.remove());

  it("20 MB become ready and answer, the slow are refused, and others are served meanwhile", {
    timeout: 600_000,
  }, async (t) => {
    const texts = { english: english(), chinese: chinese(), word: "x".repeat(MAX_TEXT_BYTES) };
    for (const text of Object.values(texts)) assert.equal(Buffer.byteLength(text), MAX_TEXT_BYTES);
    const port = Number(new URL(caigun.url).port);
    const slow = Array.from({ length: SLOW_CLIENTS }, () => rawConnection(port));
    const other = askRegularly(chatbots.other);
    try {
      const refused = dripHeaders(slow.slice(0, SLOW_CLIENTS / 2));
      const stalled = stallBodies(slow.slice(SLOW_CLIENTS / 2), caigun.apiKey);
      const models = await Promise.all(
        (["english", "chinese", "word"] as const).map(async (name) => {
          const chatbot = chatbots[name];
          return trained(caigun, await chatbot.train(texts[name]), chatbot.apiKey) as Promise<ModelReply>;
        }),
      );
      assert.deepEqual(
        models.map(({ status }) => status),
        ["ready", "ready", "ready"],
        JSON.stringify(models),
      );

      const answers = [
        [
          chatbots.english,
          "What lies in the drawer of the bell tower?",
          "The blue key lies in the drawer of the bell tower.",
        ],
        [chatbots.chinese, "藍色鑰匙放在哪裡？", "藍色鑰匙放在鐘樓的抽屜裡。"],
        [chatbots.chinese, "蓝色钥匙放在哪里？", "藍色鑰匙放在鐘樓的抽屜裡。"],
      ] as const;
      for (const [chatbot, question, answer] of answers) {
        const reply = await chatbot.ask(question);
        assert.deepEqual([reply.answered, reply.text], [true, answer]);
        const text = chatbot === chatbots.english ? texts.english : texts.chinese;
        const { start, end, quote } = reply.citations[0]!;
        // Neither text has a character outside of the basic plane, so that units are code points.
        assert.equal(text.slice(start, end), quote);
      }
      for (const reply of await refused) assert.match(reply, /^HTTP\/1\.1 400 .*"code":"request_timeout"/s);
      assert.equal(stalled.filter(({ socket }) => !socket.destroyed).length, SLOW_CLIENTS / 2, "these still have time");
      report(t, await other.stop());
    } finally {
      await other.stop();
      for (const { socket } of slow) socket.destroy();
    }
  });
});

/** Sends headers a byte at a time, and returns what each connection is told in the end. */
function dripHeaders(connections: readonly RawConnection[]): Promise<string[]> {
  const head = `POST /api/external/chatbot/train HTTP/1.1\r\nhost: caigun\r\nx-slow: ${"x".repeat(1_000)}`;
  for (const connection of connections) {
    let sent = 0;
    const timer = setInterval(() => connection.send(head[sent++]!), 2_000);
    connection.socket.once("close", () => clearInterval(timer));
  }
  return Promise.all(connections.map((connection) => connection.toEnd()));
}

/** Announces a body with a good key, and sends it a byte at a time. */
function stallBodies(connections: readonly RawConnection[], apiKey: string): readonly RawConnection[] {
  for (const connection of connections) {
    connection.send(
      "POST /api/external/chatbot/train HTTP/1.1\r\nhost: caigun\r\ncontent-type: application/json\r\n" +
        `api-key: ${apiKey}\r\ncontent-length: 10000\r\n\r\n{"text":"`,
    );
    const timer = setInterval(() => connection.send("x"), 2_000);
    connection.socket.once("close", () => clearInterval(timer));
  }
  return connections;
}

/** Asks at a steady rate whatever comes back when, and fails for any reply but the right one. */
function askRegularly(chatbot: Chatbot): { stop(): Promise<number[]> } {
  const asked: Promise<number>[] = [];
  const stopping = new AbortController();
  const ask = async () => {
    const start = performance.now();
    assert.equal((await chatbot.ask("When does the office open?")).text, "The office opens at nine in the morning.");
    return performance.now() - start;
  };
  const asking = (async () => {
    while (!stopping.signal.aborted) {
      const reply = ask();
      reply.catch(() => stopping.abort());
      asked.push(reply);
      await delay(ASK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await asking;
      return Promise.all(asked);
    },
  };
}

function report(t: TestContext, latenciesMs: number[]): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const quantile = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))]!);
  assert(sorted.length > 0);
  t.diagnostic(
    `${sorted.length} other requests meanwhile: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms`,
  );
}
