import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem } from "@caigun/contract";
import { goodKey, otherKey, rawConnection, startEchoServer } from "../../../../testkit/http-server.ts";

const id = "11111111-1111-1111-1111-111111111111";
const json = { "api-key": goodKey, "content-type": "application/json" };

interface Sent {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | URLSearchParams | FormData;
}

async function ask(url: string, { method, headers, body }: Sent) {
  const reply = await fetch(url, {
    method: method ?? (body ? "POST" : "GET"),
    headers: headers ?? {},
    ...(body ? { body } : {}),
  });
  const text = await reply.text();
  return {
    status: reply.status,
    headers: reply.headers,
    text,
    body: (text ? JSON.parse(text) : undefined) as Record<string, unknown>,
  };
}

test("a reply has its fields, its dates with milliseconds, and its headers", async () => {
  await using server = await startEchoServer();
  const { status, headers, body } = await ask(`${server.url}/api/echo&nickname=Bo`, {
    headers: json,
    body: '{"text":"a"}',
  });
  assert.equal(status, 200);
  assert.deepEqual(body, {
    nickname: "Bo",
    loud: false,
    text: "a",
    kind: "plain",
    chatbot: "chatbot-1",
    at: "2023-11-06T09:09:41.552Z",
  });
  assert.equal(headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("x-request-id") ?? "", /^[\da-f-]{36}$/);
});

test("a caller's own request id is kept where it is sane", async () => {
  await using server = await startEchoServer();
  const send = (name: string) =>
    ask(`${server.url}/api/echo`, { headers: { ...json, "x-request-id": name }, body: "{}" });
  const own = await send("trace-1:a.b");
  assert.equal(own.headers.get("x-request-id"), "trace-1:a.b");
  assert.equal(own.body.request_id, "trace-1:a.b");
  assert.notEqual((await send('x"; drop')).headers.get("x-request-id"), 'x"; drop');
});

test("the bodies of clients in the wild all work", async () => {
  await using server = await startEchoServer();
  const url = `${server.url}/api/external/echo`;
  const key = { "api-key": goodKey };
  const multipart = new FormData();
  multipart.set("text", "héllo 世界");
  multipart.set("count", "3");
  const bodies: [Record<string, string>, string | URLSearchParams | FormData][] = [
    [key, multipart],
    [key, new URLSearchParams({ text: "héllo 世界", count: "3" })],
    [{ ...key, "content-type": "application/json; charset=UTF-8" }, '{"text":"héllo 世界","count":3}'],
    [{ ...key, "content-type": "application/vnd.api+json" }, '{"text":"h\\u00e9llo \\u4e16\\u754c","count":3}'],
    [
      { ...key, "content-type": "application/json" },
      '\ufeff{"text":"héllo 世界","count":1,"count":3,"__proto__":{"kind":"fancy"}}',
    ],
  ];
  for (const [headers, body] of bodies) {
    const reply = await ask(url, { headers, body });
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual([reply.body.text, reply.body.count, reply.body.kind], ["héllo 世界", 3, "plain"]);
  }
});

test("bodies that cannot be read get a 400 with a code of their own", async () => {
  await using server = await startEchoServer({ config: { maxTextBytes: 1000 } });
  const url = `${server.url}/api/external/echo`;
  const multipart = { ...json, "content-type": "multipart/form-data; boundary=x" };
  const file = new FormData();
  file.set("text", new Blob(["a"]), "a.txt");
  const urlencoded = { ...json, "content-type": "application/x-www-form-urlencoded" };
  const cases: [Record<string, string>, string | FormData, string][] = [
    [json, '{"text":"a', "malformed_json"],
    [json, "nonsense", "malformed_json"],
    [json, "[".repeat(5_000), "malformed_json"],
    [json, `{"text":"a","deep":${"[".repeat(2_000)}${"]".repeat(2_000)}}`, "ok"],
    [json, '{"text":"\\ud800"}', "invalid_characters"],
    [json, '{"text":"\\u0000"}', "invalid_characters"],
    [json, "[1]", "validation_failed"],
    [json, '{"text":5}', "validation_failed"],
    [json, JSON.stringify({ text: "a".repeat(1001) }), "text_too_large"],
    [json, JSON.stringify({ text: "世".repeat(334) }), "text_too_large"],
    [json, JSON.stringify({ text: "世".repeat(333) }), "ok"],
    [json, `{"text":"${"\\u0061".repeat(1000)}"}`, "ok"],
    [json, JSON.stringify({ text: "a".repeat(100_000) }), "text_too_large"],
    [{ ...json, "content-type": "text/plain" }, "hello", "unsupported_media_type"],
    [{ ...json, "content-type": "application/json; charset=utf-16" }, "{}", "unsupported_media_type"],
    [{ ...json, "content-encoding": "gzip" }, "{}", "unsupported_media_type"],
    [multipart, "no boundary in here", "malformed_form"],
    [multipart, '--x\r\ncontent-disposition: form-data; name="text"\r\n\r\ntruncated', "malformed_form"],
    [{ ...json, "content-type": "multipart/form-data" }, "--x--", "malformed_form"],
    [{ "api-key": goodKey }, file, "malformed_form"],
    [urlencoded, Array.from({ length: 101 }, (_, n) => `f${n}=1`).join("&"), "malformed_form"],
    [urlencoded, "&".repeat(5_000), "malformed_form"],
    [urlencoded, "__proto__=1&text=a", "ok"],
  ];
  for (const [headers, body, code] of cases) {
    const reply = await ask(url, { headers, body });
    const seen = reply.status === 200 ? "ok" : reply.body.code;
    assert.equal(seen, code, `${String(body).slice(0, 60)} ${reply.text}`);
    if (code !== "ok") assert.deepEqual([reply.status, typeof reply.body.detail], [400, "string"]);
  }
});

test("DELETE with a content type and no body works", async () => {
  await using server = await startEchoServer();
  const { status, body } = await ask(`${server.url}/api/external/things/${id}`, { method: "DELETE", headers: json });
  assert.deepEqual([status, body.detail], [200, "Delete thing successfully"]);
});

test("the key is looked at before anything else is said", async () => {
  await using server = await startEchoServer();
  const url = `${server.url}/api/external/echo`;
  const broken = { method: "POST", body: "{" };
  const codes = [
    [{}, "missing_api_key"],
    [{ "api-key": "" }, "missing_api_key"],
    [{ "api-key": "wrong" }, "invalid_api_key"],
    [{ "api-key": "constructor" }, "invalid_api_key"],
    [{ "api-key": goodKey, "caigunn-access-token": "any" }, "invalid_access_token"],
  ] as const;
  for (const [headers, code] of codes) {
    const reply = await ask(url, { ...broken, headers });
    assert.deepEqual([reply.status, reply.body.code], [401, code]);
    assert.equal(reply.body.request_id, reply.headers.get("x-request-id"));
  }
  assert.equal((await ask(url, { ...broken, headers: { "api-key": goodKey, accept: "text/html" } })).status, 406);
});

test("unknown paths, methods and ids have their statuses", async () => {
  await using server = await startEchoServer();
  const get = async (path: string, method = "GET") => {
    const { status, body, headers } = await ask(`${server.url}${path}`, { method, headers: { "api-key": goodKey } });
    return [status, body?.code, headers.get("allow")];
  };
  assert.deepEqual(await get("/api/external/nothing"), [404, "not_found", null]);
  assert.deepEqual(await get("/elsewhere"), [404, "not_found", null]);
  assert.deepEqual(await get("/api/external/things/7"), [404, "model_not_found", null]);
  assert.deepEqual(await get("/api/external/things/%zz"), [400, "malformed_request", null]);
  assert.deepEqual(await get("/api/external/echo"), [405, "method_not_allowed", "POST"]);
  assert.deepEqual(await get("/api/echo", "PUT"), [405, "method_not_allowed", "POST"]);
  assert.deepEqual(await get(`/api/external/things/${id}`, "OPTIONS"), [405, "method_not_allowed", "DELETE, GET"]);
  assert.deepEqual(await get(`/api/external/things/${id}`, "HEAD"), [405, undefined, "DELETE, GET"]);
  assert.deepEqual(await get("/healthz", "POST"), [405, "method_not_allowed", "GET, HEAD"]);
  assert.deepEqual(await get("/healthz", "HEAD"), [200, undefined, null]);
});

test("what a command throws becomes its problem; what it did not foresee becomes 500 and stays inside", async () => {
  const secret = "SELECT of the secret row";
  let next: unknown;
  await using server = await startEchoServer({
    commands: {
      getThing: async () => {
        throw next;
      },
    },
    explainError: (error) =>
      error instanceof RangeError
        ? new Problem("unavailable", undefined, { retryAfterSeconds: 7, cause: error })
        : undefined,
  });
  const get = async (error: unknown) => {
    next = error;
    return await ask(`${server.url}/api/external/things/${id}`, { headers: { "api-key": goodKey } });
  };
  const gone = await get(new Problem("model_deleted"));
  assert.deepEqual([gone.status, gone.body.code], [410, "model_deleted"]);
  const broken = await get(Object.assign(new Error(secret), { parameters: ["a person's text"] }));
  assert.deepEqual([broken.status, broken.body.code], [500, "internal_error"]);
  assert.ok(!broken.text.includes(secret));
  const away = await get(new RangeError("no connection"));
  assert.deepEqual([away.status, away.body.code, away.headers.get("retry-after")], [503, "unavailable", "7"]);
  assert.equal((await get("a bare string")).status, 500);
  await server.untilLogged(4);
  const failures = server.logged.filter(({ level }) => level === 50);
  assert.equal(failures.length, 3);
  assert.ok(JSON.stringify(failures).includes(secret), "the log tells what happened");
  assert.ok(!JSON.stringify(failures).includes("a person's text"), "but not with which values");
});

test("what fails after its client has gone is still told to the log", async () => {
  const begun = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using server = await startEchoServer({
    commands: {
      getThing: async (_caller, _input, { signal }) => {
        begun.resolve();
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        await gone.promise;
        throw new Error("the disk is full");
      },
    },
  });
  const hangUp = new AbortController();
  const call = fetch(`${server.url}/api/external/things/${id}`, {
    headers: { "api-key": goodKey },
    signal: hangUp.signal,
  });
  await begun.promise;
  hangUp.abort();
  await assert.rejects(call);
  await server.untilLogged(1);
  assert.equal(server.logged[0]?.status, "aborted");
  gone.resolve();
  await server.untilLogged(2);
  assert.match(JSON.stringify(server.logged[1]), /"level":40.*the disk is full/);
});

test("one line is logged a request, without keys, texts or who it was about", async () => {
  await using server = await startEchoServer();
  await ask(`${server.url}/api/external/echo?nickname=Secret-Name`, {
    headers: { ...json, uid: "secret-uid" },
    body: '{"text":"secret-text"}',
  });
  await ask(`${server.url}/api/external/nothing/secret-path`, { headers: { "api-key": "secret-key" } });
  await server.untilLogged(2);
  assert.equal(server.logged.length, 2);
  const { time, pid, hostname, ms, request_id, ...line } = server.logged[0] ?? {};
  assert.deepEqual(line, {
    level: 30,
    method: "POST",
    route: "/api/external/echo",
    status: 200,
    key_id: "key-1",
    msg: "request",
  });
  assert.equal(typeof ms, "number");
  assert.deepEqual([server.logged[1]?.route, server.logged[1]?.code], ["unmatched", "not_found"]);
  assert.doesNotMatch(JSON.stringify(server.logged), /secret|good-key/i);
});

test("too many requests of one key, or from one address with whatever keys, are told to wait", async () => {
  await using server = await startEchoServer({ config: { rateLimitPerMinute: 3 } });
  const url = `${server.url}/api/external/things/${id}`;
  for (const key of ["wrong-1", "wrong-2", "wrong-3"]) {
    assert.equal((await ask(url, { headers: { "api-key": key } })).status, 401);
  }
  const refused = await ask(url, { headers: { "api-key": goodKey } });
  assert.deepEqual([refused.status, refused.body.code], [429, "rate_limited"]);
  assert.ok(Number(refused.headers.get("retry-after")) >= 1);
  assert.equal((await ask(`${server.url}/healthz`, {})).status, 200);
});

test("a key has its limit wherever its requests come from", async () => {
  await using server = await startEchoServer({ config: { rateLimitPerMinute: 3, trustProxy: true } });
  const statuses: number[] = [];
  for (const address of ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]) {
    const headers = { "api-key": goodKey, "x-forwarded-for": address };
    statuses.push((await ask(`${server.url}/api/external/things/${id}`, { headers })).status);
  }
  assert.deepEqual(statuses, [200, 200, 200, 429]);
});

test("behind a proxy an address is the one that the proxy saw, whatever the client claims", async () => {
  await using server = await startEchoServer({ config: { rateLimitPerMinute: 3, trustProxy: true } });
  const statuses: number[] = [];
  for (const claim of ["203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4"]) {
    const headers = { "api-key": "wrong", "x-forwarded-for": `${claim}, 192.0.2.1` };
    statuses.push((await ask(`${server.url}/api/external/things/${id}`, { headers })).status);
  }
  assert.deepEqual(statuses, [401, 401, 401, 429]);
});

test("bodies that would not fit into memory beside the others are told to come back", async () => {
  await using server = await startEchoServer({ config: { maxBodyBytesInFlight: 400_000 } });
  const url = `${server.url}/api/external/echo`;
  const big = await ask(url, { headers: json, body: JSON.stringify({ text: "a".repeat(200_000) }) });
  assert.deepEqual([big.status, big.body.code, big.headers.get("retry-after")], [503, "overloaded", "5"]);
  for (let request = 0; request < 5; request += 1) {
    assert.equal((await ask(url, { headers: json, body: JSON.stringify({ text: "a".repeat(90_000) }) })).status, 200);
  }
});

test("a key whose large bodies trickle in has no other key's bodies refused, and none of its own short ones", async () => {
  await using server = await startEchoServer({ config: { maxBodyBytesInFlight: 400_000 } });
  const url = `${server.url}/api/external/echo`;
  const head = `POST /api/external/echo HTTP/1.1\r\nhost: x\r\napi-key: ${goodKey}\r\ncontent-length: 99000\r\n\r\n`;
  await using trickling = new AsyncDisposableStack();
  const refusals = Array.from({ length: 5 }, async () => {
    const connection = trickling.use(rawConnection(server.port));
    connection.send(`${head}{"text":"${"a".repeat(98_000)}`);
    await connection.until(/"overloaded"/);
  });
  // What is left open is closed when the test ends, without a reply.
  for (const refusal of refusals) refusal.catch(() => undefined);
  await Promise.any(refusals);
  const status = async (key: string, characters: number) => {
    const headers = { ...json, "api-key": key };
    return (await ask(url, { headers, body: JSON.stringify({ text: "a".repeat(characters) }) })).status;
  };
  assert.equal(await status(otherKey, 90_000), 200);
  assert.equal(await status(goodKey, 60_000), 200);
});

test("/metrics counts by operation and status, and nothing stays in flight", async () => {
  await using server = await startEchoServer();
  await ask(`${server.url}/api/external/things/${id}`, { headers: { "api-key": goodKey } });
  await ask(`${server.url}/api/external/things/${id}`, {});
  await server.untilLogged(2);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(text, /caigun_http_request_duration_seconds_count\{operation="getThing",status="200"\} 1/);
  assert.match(text, /caigun_http_request_duration_seconds_count\{operation="getThing",status="401"\} 1/);
  assert.match(text, /caigun_http_requests_in_flight 1\n/);
  assert.match(text, /caigun_event_loop_lag_seconds\{quantile="0.99"\}/);
  assert.ok(!text.includes(id));
});
