import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Behaviour, type Protocol, startWriterServer } from "../../../../../testkit/writers/writer-server.ts";
import { disciplined, type WritingLimits } from "./discipline.ts";
import { googleWriter } from "./google.ts";
import { openAiWriter } from "./openai.ts";
import { answerPrompt } from "./prompt.ts";
import { type FailureReason, type Writer, WriterFailure } from "./writer.ts";

const LIMITS: WritingLimits = {
  concurrency: 2,
  waiting: 1,
  firstPieceMs: 1_500,
  betweenPiecesMs: 500,
  totalMs: 4_000,
  mostCharacters: 2_000,
};
const TEXT = "The office opens at 9 am. It closes at 5 pm.";
const promptWithin = (mostCharacters: number) => answerPrompt("When?", [TEXT], mostCharacters);
/** Everything ends within the limit, and a machine may be busy. */
const ENDED_WITHIN_MS = LIMITS.totalMs + 4_000;

const writerFor = {
  openai: (baseUrl: string) => openAiWriter({ baseUrl, model: "test", apiKey: "secret" }),
  google: (baseUrl: string) => googleWriter({ baseUrl, model: "test", apiKey: "secret" }),
};

async function opened(protocol: Protocol, behave: (count: number) => Behaviour, limits = LIMITS) {
  const server = await startWriterServer(protocol, (_, count) => behave(count));
  const writer = disciplined(writerFor[protocol](server.baseUrl), limits);
  return {
    server,
    async write(signal = new AbortController().signal, shareOfTime = 1) {
      let text = "";
      try {
        for await (const piece of writer.write({ promptWithin, signal, shareOfTime })) text += piece;
        return { text, reason: undefined };
      } catch (error) {
        if (!(error instanceof WriterFailure)) throw error;
        assert(!error.message.includes("secret"));
        return { text, reason: error.reason };
      }
    },
    async [Symbol.asyncDispose]() {
      await writer.close();
      await server.close();
    },
  };
}

for (const protocol of ["openai", "google"] as const) {
  describe(`a writer that speaks ${protocol}'s protocol`, { concurrency: true }, () => {
    it("is given the passages between marks of its own, and its pieces joined are the reply", async () => {
      await using kit = await opened(protocol, () => ({ text: TEXT }));
      assert.deepEqual(await kit.write(), { text: TEXT, reason: undefined });
      const [{ system, user, authorization }] = kit.server.received as [(typeof kit.server.received)[0]];
      const mark = /\[passage 1 ([0-9a-f]{24})\]/.exec(user)?.[1];
      assert(mark && system.includes(mark) && user.endsWith("Question: When?"), user);
      assert.match(authorization ?? "", /secret$/);
    });

    const ends: [Behaviour, FailureReason, string][] = [
      [{ fault: "silent" }, "timeout", ""],
      [{ fault: "stall", text: TEXT }, "timeout", TEXT],
      [{ fault: "cut", text: TEXT }, protocol === "google" ? "unreachable" : "cut", TEXT],
      [{ fault: "half", text: TEXT }, "cut", TEXT],
      ...(protocol === "google" ? ["MAX_TOKENS", "SAFETY"] : ["length", "content_filter"]).map(
        (finishReason): [Behaviour, FailureReason, string] => [{ text: TEXT, finishReason }, "unfinished", TEXT],
      ),
      [{ fault: "status", status: 500 }, "unreachable", ""],
      [{ fault: "status", status: 401 }, "refused", ""],
      [{ fault: "status", status: 429, retryAfter: "3600" }, "rate_limited", ""],
      [{ fault: "garbage" }, "garbled", ""],
    ];
    for (const [behaviour, reason, text] of ends) {
      it(`ends in time: ${JSON.stringify(behaviour)}`, async () => {
        await using kit = await opened(protocol, () => behaviour);
        const startedMs = performance.now();
        assert.deepEqual(await kit.write(), { text, reason });
        assert(performance.now() - startedMs < ENDED_WITHIN_MS);
      });
    }

    it("does not read on without end", async () => {
      for (const behaviour of [
        { fault: "huge" },
        { fault: "endless", piece: "and so on ", everyMs: 1 },
        { fault: "endless", piece: "x", everyMs: 200 },
      ] as const) {
        await using kit = await opened(protocol, () => behaviour);
        const { reason } = await kit.write();
        assert(reason !== undefined, JSON.stringify(behaviour));
      }
    });

    it("is tried again before the first piece, and not after it", async () => {
      await using kit = await opened(protocol, (count) =>
        count === 1 ? { fault: "status", status: 503 } : { text: TEXT },
      );
      assert.deepEqual(await kit.write(), { text: TEXT, reason: undefined });
      assert.equal(kit.server.received.length, 2);
      await using cut = await opened(protocol, () => ({ fault: "half", text: TEXT }));
      await cut.write();
      assert.equal(cut.server.received.length, 1);
    });

    it("is left alone after failing again and again", async () => {
      await using kit = await opened(protocol, () => ({ fault: "status", status: 400 }));
      const reasons: (string | undefined)[] = [];
      for (let time = 0; time < 7; time++) reasons.push((await kit.write()).reason);
      assert.deepEqual(reasons, [...Array(5).fill("refused"), "circuit_open", "circuit_open"]);
      assert.equal(kit.server.received.length, 5);
    });

    it("is not left alone for being silent in less time than it may take", async () => {
      await using kit = await opened(protocol, (count) => (count <= 7 ? { fault: "silent" } : { text: TEXT }));
      const signal = new AbortController().signal;
      for (let time = 0; time < 7; time++) assert.equal((await kit.write(signal, 0.05)).reason, "timeout");
      assert.deepEqual(await kit.write(), { text: TEXT, reason: undefined });
    });

    it("is not left alone for replies that are longer than it may write", async () => {
      const finishReason = protocol === "google" ? "MAX_TOKENS" : "length";
      await using kit = await opened(protocol, () => ({ text: TEXT, finishReason }));
      for (let time = 0; time < 7; time++) assert.equal((await kit.write()).reason, "unfinished");
    });

    it("writes so many replies at a time, lets so many wait, and refuses the rest", async () => {
      await using kit = await opened(protocol, () => ({ fault: "silent" }));
      const reasons = (await Promise.all(Array.from({ length: 5 }, () => kit.write()))).map(({ reason }) => reason);
      assert.deepEqual(reasons.toSorted(), ["busy", "busy", "timeout", "timeout", "timeout"]);
    });

    it("lets go of the connection when nobody waits any more", async () => {
      await using kit = await opened(protocol, () => ({ fault: "endless", piece: "word ", everyMs: 20 }));
      const caller = new AbortController();
      const writing = kit.write(caller.signal);
      setTimeout(() => caller.abort(new Error("hung up")), 200);
      await assert.rejects(writing, /hung up/);
      for (const end = performance.now() + 2_000; kit.server.open() > 0 && performance.now() < end; )
        await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(kit.server.open(), 0);
    });
  });
}

it("a writer that can't be used at all fails as one that can't be reached, and is left alone then", async () => {
  let asked = 0;
  const broken: Writer = {
    name: "gguf",
    isLocal: true,
    followsInstructions: true,
    // biome-ignore lint/correctness/useYield: it fails before it has written anything.
    async *write() {
      asked++;
      throw new TypeError("spawn ENOMEM");
    },
    async close() {},
  };
  const writer = disciplined(broken, LIMITS);
  const reasons: unknown[] = [];
  for (let time = 0; time < 6; time++) {
    try {
      for await (const piece of writer.write({ promptWithin, signal: new AbortController().signal }))
        assert.fail(piece);
    } catch (error) {
      reasons.push(error instanceof WriterFailure ? error.reason : error);
    }
  }
  assert.deepEqual(reasons, [...Array(5).fill("unreachable"), "circuit_open"]);
  assert.equal(asked, 5);
});
