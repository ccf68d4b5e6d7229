import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { Problem } from "@caigun/contract";
import { goodKey, rawConnection, startEchoServer } from "../../../../testkit/http-server.ts";

const headers = { "api-key": goodKey, "content-type": "application/json", accept: "text/event-stream" };

interface SeenEvent {
  readonly event: string;
  readonly id?: string;
  readonly data: { readonly [name: string]: unknown };
}

/** Reads a stream as a browser's EventSource would. */
function parseEvents(text: string): SeenEvent[] {
  const blocks = text.split("\n\n").filter((block) => block !== "" && !block.startsWith(":"));
  return blocks.map((block) => {
    const fields = Object.fromEntries(
      block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    return {
      event: fields.event ?? "",
      ...(fields.id ? { id: fields.id } : {}),
      data: JSON.parse(fields.data ?? "null"),
    };
  });
}

async function canConnect(port: number): Promise<boolean> {
  using connection = rawConnection(port);
  return await new Promise((resolve) => {
    connection.socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  });
}

async function talk(url: string, text: string, extra: Record<string, string> = {}) {
  const reply = await fetch(`${url}/api/external/talk`, {
    method: "POST",
    headers: { ...headers, ...extra },
    body: JSON.stringify({ text }),
  });
  return {
    status: reply.status,
    type: reply.headers.get("content-type"),
    text: await reply.text(),
    headers: reply.headers,
  };
}

const joined = (events: readonly SeenEvent[]) =>
  events
    .filter(({ event }) => event === "delta")
    .map(({ data }) => data.text)
    .join("");

test("the pieces joined are the reply's text, and the whole reply ends the stream", async () => {
  await using server = await startEchoServer();
  const { status, type, text } = await talk(server.url, "one two\nthree \u2028 世界");
  assert.deepEqual([status, type], [200, "text/event-stream; charset=utf-8"]);
  const events = parseEvents(text);
  assert.ok(events.length > 3);
  assert.equal(joined(events), "one two\nthree \u2028 世界");
  assert.deepEqual(events.at(-1), { event: "done", data: { text: "one two\nthree \u2028 世界" } });
});

test("a command that emits nothing is sent in one piece; without the Accept header it is plain JSON", async () => {
  await using server = await startEchoServer({ commands: { talk: async (_caller, { text }) => ({ text, more: 1 }) } });
  const events = parseEvents((await talk(server.url, "whole")).text);
  assert.deepEqual(events, [
    { event: "delta", data: { text: "whole" } },
    { event: "done", data: { text: "whole", more: 1 } },
  ]);
  const plain = await talk(server.url, "whole", { accept: "*/*" });
  assert.deepEqual(JSON.parse(plain.text), { text: "whole", more: 1 });
});

test("a streamed reply is replayed whole, streamed or not", async () => {
  await using server = await startEchoServer();
  await talk(server.url, "one two", { "idempotency-key": "k" });
  const again = await talk(server.url, "one two", { "idempotency-key": "k" });
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  const events = parseEvents(again.text);
  assert.equal(joined(events), "one two");
  assert.equal(events.at(-1)?.event, "done");
  const plain = await talk(server.url, "one two", { "idempotency-key": "k", accept: "application/json" });
  assert.deepEqual(JSON.parse(plain.text), { text: "one two" });
});

test("a failure before the first piece is an ordinary error, after it an error event", async () => {
  await using server = await startEchoServer({
    commands: {
      talk: async (_caller, { text }, { emit }) => {
        if (text === "late") await emit?.("piece");
        if (text === "lie") await emit?.("something else");
        if (text === "lie") return { text };
        throw new Problem("no_model");
      },
    },
  });
  const early = await talk(server.url, "early");
  assert.deepEqual([early.status, JSON.parse(early.text).code], [400, "no_model"]);
  const late = parseEvents((await talk(server.url, "late")).text);
  assert.deepEqual([late.at(-1)?.event, late.at(-1)?.data.code], ["error", "no_model"]);
  const lie = parseEvents((await talk(server.url, "lie")).text);
  assert.deepEqual([lie.at(-1)?.event, lie.at(-1)?.data.code], ["error", "internal_error"]);
});

test("events carry ids, a follower says where to go on, and only who accepts a stream gets one", async () => {
  let lastId: string | undefined;
  await using server = await startEchoServer({
    commands: {
      follow: async (_caller, input) => {
        lastId = input["last-event-id"];
        return (async function* () {
          yield { event: "progress", id: "7", data: { progress: 0.5 } };
          yield { event: "completed", id: "8", data: { progress: 1 } };
        })();
      },
    },
  });
  const reply = await fetch(`${server.url}/api/external/follow`, {
    headers: { "api-key": goodKey, "last-event-id": "6" },
  });
  assert.deepEqual(parseEvents(await reply.text()), [
    { event: "progress", id: "7", data: { progress: 0.5 } },
    { event: "completed", id: "8", data: { progress: 1 } },
  ]);
  assert.equal(lastId, "6");
  const refused = await fetch(`${server.url}/api/external/follow`, {
    headers: { "api-key": goodKey, accept: "application/json" },
  });
  assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [406, "not_acceptable"]);
});

test("a comment line keeps a quiet stream open", async () => {
  const release = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    config: { heartbeatMs: 20 },
    commands: {
      talk: async (_caller, { text }) => {
        await release.promise;
        return { text };
      },
    },
  });
  using connection = rawConnection(server.port);
  const body = '{"text":"slow"}';
  connection.send(
    `POST /api/external/talk HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\naccept: text/event-stream\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  await connection.until(/: keep-alive\n\n[\s\S]*: keep-alive\n\n/);
  release.resolve();
  assert.match(await connection.toEnd(), /event: done\ndata: \{"text":"slow"\}/);
});

test("the client's hang-up aborts the command", async () => {
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    commands: {
      talk: async (_caller, { text }, { emit, signal }) => {
        await emit?.(text);
        begun.resolve();
        await once(signal, "abort");
        aborted.resolve();
        throw signal.reason;
      },
    },
  });
  const hangUp = new AbortController();
  const call = fetch(`${server.url}/api/external/talk`, {
    method: "POST",
    headers,
    body: '{"text":"a"}',
    signal: hangUp.signal,
  });
  await begun.promise;
  await (await call).body?.getReader().read();
  hangUp.abort();
  await aborted.promise;
});

test("a follower that hangs up ends the source, even one that is stuck", async () => {
  const stuck = Promise.withResolvers<void>();
  const returned = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    commands: {
      follow: async () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => {
            stuck.resolve();
            return new Promise(() => undefined);
          },
          return: async () => {
            returned.resolve();
            return { done: true, value: undefined };
          },
        }),
      }),
    },
  });
  using connection = rawConnection(server.port);
  connection.send(`GET /api/external/follow HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\n\r\n`);
  await stuck.promise;
  connection.socket.destroy();
  await returned.promise;
});

test("a client that reads slowly holds the command back instead of filling memory", async () => {
  const piece = "x".repeat(64 * 1024);
  const pieces = 400;
  let emitted = 0;
  await using server = await startEchoServer({
    commands: {
      talk: async (_caller, _input, { emit }) => {
        let text = "";
        for (let count = 0; count < pieces; count += 1) {
          await emit?.(piece);
          emitted += 1;
          text += piece;
        }
        return { text };
      },
    },
  });
  using connection = rawConnection(server.port);
  const head = connection.until(/event: delta/);
  connection.send(
    `POST /api/external/talk HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\naccept: text/event-stream\r\nconnection: close\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await head;
  connection.socket.pause();
  // Until nothing more moves: the kernel's buffers are full then.
  for (let before = -1; before !== emitted; ) {
    before = emitted;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(emitted < pieces, `${emitted} pieces were emitted to a client that does not read`);
  connection.socket.resume();
  assert.match(await connection.toEnd(), /event: done/);
  assert.equal(emitted, pieces);
});

test("a client that takes nothing is given up", async () => {
  const ended = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    config: { requestTimeoutMs: 200, heartbeatMs: 100 },
    commands: {
      talk: async (_caller, { text }, { emit, signal }) => {
        while (!signal.aborted) await emit?.("x".repeat(64 * 1024));
        ended.resolve();
        return { text };
      },
    },
  });
  using connection = rawConnection(server.port);
  connection.socket.pause();
  connection.send(
    `POST /api/external/talk HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\naccept: text/event-stream\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await ended.promise;
});

test("what comes behind a request is never answered in the middle of its reply", async () => {
  const release = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    commands: {
      talk: async (_caller, { text }, { emit }) => {
        await emit?.("a");
        await release.promise;
        return { text };
      },
    },
  });
  using connection = rawConnection(server.port);
  connection.send(
    `POST /api/external/talk HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\naccept: text/event-stream\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await connection.until(/event: delta/);
  connection.send("\x00 no request \r\n\r\n");
  const received = await connection.toEnd();
  release.resolve();
  assert.doesNotMatch(received, /malformed_request/);
});

test("a stream that ends while the server closes lets go of its connection at once", async () => {
  const release = Promise.withResolvers<void>();
  const server = await startEchoServer({
    config: { keepAliveTimeoutMs: 60_000 },
    commands: {
      talk: async (_caller, { text }, { emit }) => {
        await emit?.(text);
        await release.promise;
        return { text };
      },
    },
  });
  using connection = rawConnection(server.port);
  connection.send(
    `POST /api/external/talk HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\naccept: text/event-stream\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await connection.until(/event: delta/);
  const startedMs = performance.now();
  const closed = server.server.close({ graceMs: 30_000 });
  // The stream ends only after the server has closed the connections that were idle when it began to close.
  while (await canConnect(server.port)) {}
  release.resolve();
  assert.match(await connection.toEnd(), /event: done/);
  await closed;
  assert.ok(performance.now() - startedMs < 10_000, "it did not have to be cut off");
});

test("a closing server ends what followers follow and lets a reply under way go out", async () => {
  const begun = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await startEchoServer({
    commands: {
      follow: async () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) }),
      create: async () => {
        begun.resolve();
        await release.promise;
        return { made: true };
      },
    },
  });
  using follower = rawConnection(server.port);
  follower.send(`GET /api/external/follow HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\n\r\n`);
  await follower.until(/text\/event-stream/);
  using idle = rawConnection(server.port);
  idle.send("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  await idle.until(/"ok":true/);
  using maker = rawConnection(server.port);
  maker.send(
    `POST /api/external/create HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await begun.promise;
  const closed = server.server.close({ graceMs: 10_000 });
  await follower.toEnd();
  await idle.toEnd();
  release.resolve();
  assert.match(await maker.toEnd(), /HTTP\/1.1 200 OK[\s\S]*connection: close[\s\S]*\{"made":true\}/i);
  await closed;
  await assert.rejects(fetch(`${server.url}/healthz`));
});

test("what does not end within the grace is cut off", async () => {
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const server = await startEchoServer({
    commands: {
      create: async (_caller, _input, { signal }) => {
        begun.resolve();
        await once(signal, "abort");
        aborted.resolve();
        throw signal.reason;
      },
    },
  });
  using maker = rawConnection(server.port);
  maker.send(
    `POST /api/external/create HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\ncontent-length: 12\r\n\r\n{"text":"a"}`,
  );
  await begun.promise;
  await server.server.close({ graceMs: 50 });
  await aborted.promise;
});
