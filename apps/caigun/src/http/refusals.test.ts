import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { exchangeRaw, goodKey, rawConnection, startEchoServer } from "../../../../testkit/http-server.ts";

const head = `host: x\r\napi-key: ${goodKey}\r\nconnection: close\r\n`;
const echo = "POST /api/external/echo HTTP/1.1\r\n";

/** The last reply in what came over a connection. */
function parseReply(raw: string) {
  const start = raw.lastIndexOf("HTTP/1.1 ");
  const [top = "", body = ""] = raw.slice(start).split("\r\n\r\n");
  const [statusLine = "", ...lines] = top.split("\r\n");
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]),
  );
  return { status: Number(statusLine.split(" ")[1]), headers, body };
}

const malformed: readonly (readonly [what: string, request: string, code: string])[] = [
  ["no request line", "\x16\x03\x01 hello\r\n\r\n", "malformed_request"],
  ["an unknown method", "FOO /api/external/echo HTTP/1.1\r\nhost: x\r\n\r\n", "malformed_request"],
  ["an unknown version", "GET / HTTP/9.9\r\nhost: x\r\n\r\n", "malformed_request"],
  ["no Host", `GET /api/external/things/1 HTTP/1.1\r\nconnection: close\r\n\r\n`, "malformed_request"],
  ["a space in the header's name", "GET / HTTP/1.1\r\nho st: x\r\n\r\n", "malformed_request"],
  ["a folded header", "GET / HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", "malformed_request"],
  ["two lengths", `${echo}${head}content-length: 3\r\ncontent-length: 4\r\n\r\n{}`, "malformed_request"],
  [
    "length and chunks",
    `${echo}${head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    "malformed_request",
  ],
  ["an unknown transfer coding", `${echo}${head}transfer-encoding: gzip\r\n\r\nabc`, "malformed_request"],
  ["a chunk that is none", `${echo}${head}transfer-encoding: chunked\r\n\r\nZZ\r\n`, "malformed_request"],
  ["a tunnel", "CONNECT example.test:80 HTTP/1.1\r\nhost: x\r\n\r\n", "malformed_request"],
  ["a bad escape in the path", `GET /api/external/things/%zz HTTP/1.1\r\n${head}\r\n`, "malformed_request"],
  ["headers without end", `GET / HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, "headers_too_large"],
  ["a path without end", `GET /api/external/things/${"a".repeat(20_000)} HTTP/1.1\r\n${head}\r\n`, "headers_too_large"],
  [
    "an expectation nobody knows",
    `${echo}${head}expect: a-miracle\r\ncontent-length: 2\r\n\r\n{}`,
    "unsupported_expectation",
  ],
  [
    "a content type that is none",
    `${echo}${head}content-type: ///\r\ncontent-length: 2\r\n\r\n{}`,
    "unsupported_media_type",
  ],
  ["a body larger than any", `${echo}${head}content-length: 9999999999\r\n\r\n{`, "text_too_large"],
];

for (const [what, request, code] of malformed) {
  test(`the parser's own refusals have the one error body: ${what}`, async () => {
    await using server = await startEchoServer();
    const { status, headers, body } = parseReply(await exchangeRaw(server.port, request));
    const error = JSON.parse(body);
    assert.deepEqual([status, error.code], [400, code]);
    assert.equal(typeof error.detail, "string");
    assert.equal(error.request_id, headers.get("x-request-id"));
    assert.equal(headers.get("connection")?.toLowerCase(), "close");
    assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
    assert.equal(headers.get("content-length"), String(Buffer.byteLength(body)));
  });
}

test("what the parser refuses is told also on a connection that has carried a good request", async () => {
  await using server = await startEchoServer();
  const good = `GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`;
  for (const bad of [`GET / HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, "nonsense\r\n\r\n"]) {
    using connection = rawConnection(server.port);
    connection.send(good);
    await connection.until(/\{"ok":true\}$/);
    connection.send(bad);
    assert.match(
      await connection.toEnd(),
      /\{"ok":true\}HTTP\/1\.1 400 .*"code":"(headers_too_large|malformed_request)"/s,
    );
  }
});

test("the absolute form of an address needs a key like any other", async () => {
  await using server = await startEchoServer();
  const line = "GET http://x/api/external/follow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n";
  assert.equal(parseReply(await exchangeRaw(server.port, `${line}\r\n`)).status, 401);
  assert.equal(parseReply(await exchangeRaw(server.port, `${line}api-key: ${goodKey}\r\n\r\n`)).status, 200);
  const escaped = "GET /%61pi/external/follow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  assert.equal(parseReply(await exchangeRaw(server.port, escaped)).status, 401);
});

test("methods that Node knows and no path takes are 405 with Allow, and HEAD has no body", async () => {
  await using server = await startEchoServer();
  for (const method of ["HEAD", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "PUT", "M-SEARCH"]) {
    const { status, headers, body } = parseReply(
      await exchangeRaw(server.port, `${method} /api/external/echo HTTP/1.1\r\n${head}\r\n`),
    );
    assert.deepEqual([method, status, headers.get("allow")], [method, 405, "POST"]);
    if (method === "HEAD") assert.equal(body, "");
    else assert.equal(JSON.parse(body).code, "method_not_allowed");
  }
});

test("an offer to upgrade is ignored", async () => {
  await using server = await startEchoServer();
  const request = `GET /api/external/follow HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n`;
  assert.equal(parseReply(await exchangeRaw(server.port, request)).status, 200);
});

test("100 Continue is sent once the key was found good, and not before", async () => {
  await using server = await startEchoServer();
  using welcome = rawConnection(server.port);
  welcome.send(`${echo}${head}expect: 100-continue\r\ncontent-length: 12\r\n\r\n`);
  await welcome.until(/^HTTP\/1.1 100 Continue\r\n\r\n/);
  welcome.send('{"text":"a"}');
  assert.equal(parseReply(await welcome.toEnd()).status, 200);
  const refused = await exchangeRaw(
    server.port,
    `${echo}host: x\r\nexpect: 100-continue\r\ncontent-length: 12\r\n\r\n`,
  );
  assert.ok(!refused.includes("100 Continue"));
  assert.equal(parseReply(refused).status, 401);
});

test("who has no key is told so before its large body has come, and can read it while sending", async () => {
  await using server = await startEchoServer();
  using early = rawConnection(server.port);
  early.send(`${echo}host: x\r\ncontent-length: 20000000\r\n\r\n{`);
  assert.match(await early.until(/missing_api_key/), /^HTTP\/1.1 401 /);
  const reply = await fetch(`${server.url}/api/external/echo`, { method: "POST", body: "x".repeat(20_000_000) });
  assert.equal(reply.status, 401);
  assert.equal(((await reply.json()) as { code: string }).code, "missing_api_key");
});

test("a body too large is refused as soon as it is, announced or not", async () => {
  await using server = await startEchoServer({ config: { maxTextBytes: 1_000 } });
  using connection = rawConnection(server.port);
  connection.send(`${echo}host: x\r\napi-key: ${goodKey}\r\ntransfer-encoding: chunked\r\n\r\n`);
  const chunk = `10000\r\n${"a".repeat(0x10000)}\r\n`;
  connection.send(chunk);
  connection.send(chunk);
  assert.match(await connection.until(/text_too_large/), /^HTTP\/1.1 400 /);
});

test("who goes on sending a refused body is cut off long before the request's time is over", async () => {
  await using server = await startEchoServer({ config: { maxTextBytes: 1_000 } });
  const sendFor = async (key: string) => {
    using connection = rawConnection(server.port);
    const startedMs = performance.now();
    connection.send(`${echo}host: x\r\napi-key: ${key}\r\ntransfer-encoding: chunked\r\n\r\n`);
    const sending = setInterval(() => connection.send(`4000\r\n${"a".repeat(0x4000)}\r\n`), 20);
    const received = await connection.toEnd();
    clearInterval(sending);
    return { status: parseReply(received).status, ms: performance.now() - startedMs };
  };
  const [refused, tooLarge] = await Promise.all([sendFor("wrong"), sendFor(goodKey)]);
  assert.deepEqual([refused.status, tooLarge.status], [401, 400]);
  assert.ok(refused.ms < 15_000 && tooLarge.ms < 15_000, `${refused.ms} ms, ${tooLarge.ms} ms`);
});

test("requests sent without waiting are answered in their order", async () => {
  await using server = await startEchoServer();
  const one = (text: string, last: boolean) =>
    `${echo}host: x\r\napi-key: ${goodKey}\r\n${last ? "connection: close\r\n" : ""}content-length: ${11 + text.length}\r\n\r\n{"text":"${text}"}`;
  const raw = await exchangeRaw(server.port, one("first", false) + one("second", false) + one("third", true));
  assert.deepEqual(raw.match(/"text":"\w+"/g), ['"text":"first"', '"text":"second"', '"text":"third"']);
});

test("an expectation nobody knows is refused in its turn, wherever it is sent", async () => {
  await using server = await startEchoServer();
  const unmet = (path: string) => `GET ${path} HTTP/1.1\r\nhost: x\r\nexpect: foo\r\n\r\n`;
  const raw = await exchangeRaw(
    server.port,
    `GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n${unmet("/healthz")}${unmet("/nowhere")}GET /healthz HTTP/1.1\r\n${head}\r\n`,
  );
  assert.deepEqual(raw.match(/HTTP\/1\.1 \d+|"code":"\w+"|\{"ok":true/g), [
    "HTTP/1.1 200",
    '{"ok":true',
    "HTTP/1.1 400",
    '"code":"unsupported_expectation"',
    "HTTP/1.1 400",
    '"code":"unsupported_expectation"',
    "HTTP/1.1 200",
    '{"ok":true',
  ]);
});

test("who asks for a tunnel and resets at once does not end the server", async () => {
  await using server = await startEchoServer();
  const tunnels = Array.from({ length: 20 }, async () => {
    using connection = rawConnection(server.port);
    await once(connection.socket, "connect");
    connection.send("CONNECT example.test:80 HTTP/1.1\r\nhost: x\r\n\r\n");
    connection.socket.resetAndDestroy();
    await connection.toEnd();
  });
  await Promise.all(tunnels);
  for (let request = 0; request < 20; request += 1) {
    assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  }
});

test("who was refused a tunnel and holds its end open keeps no connection, and holds up no stop", async () => {
  const server = await startEchoServer();
  // Half open: it does not answer the server's end with its own.
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined).resume();
  socket.write("CONNECT example.test:80 HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "end");
  try {
    const closed = server.server.close({ graceMs: 100 }).then(() => "closed");
    const late = setTimeout(10_000, "still open", { ref: false });
    assert.equal(await Promise.race([closed, late]), "closed");
  } finally {
    socket.destroy();
  }
});

test("a request that breaks off is no failure of ours", async () => {
  await using server = await startEchoServer();
  using connection = rawConnection(server.port);
  connection.send(`${echo}${head}content-length: 100\r\n\r\n{"te`);
  connection.socket.end();
  await server.untilLogged(1);
  assert.ok(
    server.logged.every(({ level }) => level === 30),
    JSON.stringify(server.logged),
  );
});

test("connections beyond the limit are refused, counted, and let in again when there is room", async () => {
  await using server = await startEchoServer({ config: { maxConnections: 2 } });
  const ask = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
  using first = rawConnection(server.port);
  first.send(ask);
  await first.until(/connections_dropped_total 0\n/);
  const second = rawConnection(server.port);
  second.send(ask);
  await second.until(/connections_dropped_total 0\n/);
  using third = rawConnection(server.port);
  third.send(ask);
  assert.equal(await third.toEnd(), "");
  first.send(ask);
  await first.until(/connections_dropped_total 1\n/);
  second.socket.destroy();
  await second.toEnd();
  // The server hears of it a moment later.
  let received = "";
  while (received === "") received = await exchangeRaw(server.port, ask.replace("host", "connection: close\r\nhost"));
  assert.match(received, /^HTTP\/1.1 200 /);
});

test("slow clients are told so, and nobody waits for them", async () => {
  await using server = await startEchoServer({ config: { headersTimeoutMs: 1_000, requestTimeoutMs: 1_500 } });
  const slow = Array.from({ length: 1_000 }, (_, number) => {
    const connection = rawConnection(server.port);
    if (number % 3 === 0) connection.send("POST /api/ext");
    if (number % 3 === 1) connection.send(`${echo}${head}content-length: 100\r\n\r\n{"te`);
    return connection;
  });
  const ends = Promise.all(slow.map((connection) => connection.toEnd()));
  const startedMs = performance.now();
  for (let request = 0; request < 50; request += 1) {
    const reply = await fetch(`${server.url}/api/external/echo`, {
      method: "POST",
      headers: { "api-key": goodKey, "content-type": "application/json" },
      body: '{"text":"a"}',
    });
    assert.equal(reply.status, 200);
  }
  const otherCallersMs = performance.now() - startedMs;
  const raw = await ends;
  assert.ok(otherCallersMs < 5_000, `50 requests took ${otherCallersMs} ms beside 1,000 slow clients`);
  for (const [number, reply] of raw.entries()) {
    if (number % 3 === 2 && reply === "") continue;
    const { status, body } = parseReply(reply);
    assert.deepEqual([status, JSON.parse(body).code], [400, "request_timeout"]);
  }
});
