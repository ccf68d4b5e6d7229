import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { authenticate, revokeKey } from "../apps/caigun/src/commands/keys.ts";
import { type RunningCaigun, startCaigun } from "../testkit/caigun.ts";
import { assertProblem, Chatbot, newChatbot, openHouse } from "../testkit/chatbot.ts";
import { exchangeRaw, rawConnection } from "../testkit/http-server.ts";

const text = "The office opens at nine in the morning. Parking costs three euros an hour.";
const nobody = "00000000-0000-4000-8000-000000000000";

describe("requests as clients write them", () => {
  let caigun: RunningCaigun;
  let chatbot: Chatbot;
  let port: number;
  before(async () => {
    caigun = await startCaigun();
    chatbot = new Chatbot(caigun);
    port = Number(new URL(caigun.url).port);
    await chatbot.ready(text);
  });
  after(() => caigun.remove());

  const form = (fields: Record<string, string>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    return body;
  };
  const raw = (lines: string[], body = "") =>
    exchangeRaw(port, `${[...lines, `api-key: ${caigun.apiKey}`, "connection: close"].join("\r\n")}\r\n\r\n${body}`);

  it("train takes JSON, multipart and urlencoded bodies, and JSON without a content type", async () => {
    const fields = { text, title: "Form", model_name: "PaLM2" };
    const bodies: RequestInit[] = [
      { body: form(fields) },
      { body: new URLSearchParams(fields) },
      { body: Buffer.from(JSON.stringify(fields)) },
      { body: `\ufeff${JSON.stringify(fields)}`, headers: { "content-type": "application/json; charset=UTF-8" } },
      { body: JSON.stringify(fields), headers: { "content-type": "application/vnd.api+json" } },
    ];
    for (const body of bodies) {
      const { id } = await chatbot.get<{ id: string }>("train", { method: "POST", ...(body as object) });
      const model = await chatbot.get<{ title: string; model_name: string }>(`models/${id}`);
      assert.deepEqual([model.title, model.model_name], ["Form", "PaLM2"]);
    }
  });

  it("conversation and model_id take forms; True, False, empty and None mean what they mean in Python", async () => {
    for (const body of [
      form({ text: "What does parking cost?" }),
      new URLSearchParams({ text: "What does parking cost?" }),
    ]) {
      const response = await chatbot.call("conversation?explain=True", {
        method: "POST",
        headers: { uid: "form" },
        body,
      });
      const reply = (await response.json()) as Record<string, unknown>;
      assert.equal(reply.text, "Parking costs three euros an hour.");
      assert.equal(typeof reply.confidence, "number");
    }
    const plain = await chatbot.ask("What does parking cost?", { query: "?explain=False&nickname=" });
    assert.equal(plain.confidence, undefined);
    for (const id of ["", "null", "None"]) {
      const reply = await chatbot.get("model_id", { method: "PATCH", body: form({ id }) });
      assert.deepEqual(reply, { detail: "Update successfully" });
    }
  });

  it("DELETE works with a JSON content type and no body", async () => {
    const { id } = await chatbot.train("The gym is closed.");
    const reply = await raw([
      `DELETE /api/external/chatbot/models/${id} HTTP/1.1`,
      "host: caigun",
      "content-type: application/json",
    ]);
    assert.match(reply, /^HTTP\/1\.1 200 /);
    assert.match(reply, /\{"detail":"Delete model successfully"\}$/);
  });

  it("no Accept header at all gets JSON, and so does whatever includes it", async () => {
    const reply = await raw(["GET /api/external/chatbot/models HTTP/1.1", "host: caigun"]);
    assert.match(reply, /^HTTP\/1\.1 200 /);
    assert.match(reply, /content-type: application\/json/i);
    for (const accept of ["*/*", "application/*", "text/html, application/json;q=0.1", ""])
      assert.equal((await chatbot.call("models", { headers: { accept } })).status, 200, accept);
  });

  it("406 where Accept leaves out what the call can send", async () => {
    const cases: [string, string][] = [
      ["models", "text/html"],
      ["models", "application/json;q=0"],
      ["models", "text/event-stream"],
      [`events/${nobody}/stream`, "application/json"],
    ];
    for (const [path, accept] of cases)
      await assertProblem(await chatbot.call(path, { headers: { accept } }), 406, "not_acceptable");
  });

  it("405 names the methods that the path has, on every alias", async () => {
    const cases: [string, string, string][] = [
      ["GET", "/api/external/chatbot/train", "POST"],
      ["GET", "/api/chatbot/train", "POST"],
      ["POST", "/api/external/chatbot/models", "GET"],
      ["PUT", `/api/external/chatbot/models/${nobody}`, "DELETE, GET"],
      ["DELETE", "/api/external/chatbot/model_id", "PATCH"],
      ["GET", "/api/external/chatbot/conversation&nickname=X", "POST"],
      ["POST", "/api/external/chatbot/conversation_uids", "GET"],
    ];
    for (const [method, path, allow] of cases) {
      const response = await chatbot.call(path, { method });
      assert.equal(response.headers.get("allow"), allow, `${method} ${path}`);
      await assertProblem(response, 405, "method_not_allowed");
    }
    await assertProblem(await chatbot.call("nothing"), 404, "not_found");
  });

  it("every reply has a request id: the caller's, where it sent one that can stand there", async () => {
    const own = await chatbot.call("models", { headers: { "x-request-id": "trace-17" } });
    assert.equal(own.headers.get("x-request-id"), "trace-17");
    const made = await chatbot.call("models", { headers: { "x-request-id": "not one, this" } });
    assert.match(made.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
    const refused = await chatbot.call("nothing", { headers: { "x-request-id": "trace-18" } });
    assert.equal((await assertProblem(refused, 404, "not_found")).request_id, "trace-18");
  });

  it("a wrong body is 400 with what is wrong with each field", async () => {
    const { errors } = await assertProblem(
      await chatbot.call("train", { method: "POST", json: { text: 5, model_name: "gpt5" } }),
      400,
      "validation_failed",
    );
    const places = (errors as { loc: string[]; type: string }[]).map(({ loc, type }) => `${loc.join(".")} ${type}`);
    assert.deepEqual(places.toSorted(), ["body.model_name enum", "body.text type", "body.title required"]);
  });

  it("any caigunn-access-token is 401 on every path, with or without a good key", async () => {
    for (const path of ["models", "/api/chatbot/models", "nothing", "/api/external/user/plan", `models/${nobody}`])
      for (const apiKey of [caigun.apiKey, null])
        await assertProblem(
          await chatbot.call(path, { apiKey, headers: { "caigunn-access-token": "token" } }),
          401,
          "invalid_access_token",
        );
  });

  it("a missing, mistyped, unknown or revoked key is 401 before any of the body is sent", async () => {
    await using house = await openHouse(caigun);
    const other = await newChatbot(caigun, house);
    const holder = (await authenticate(house, other.apiKey))!;
    assert.equal((await other.call("models")).status, 200);
    assert.equal(await revokeKey(house, holder.chatbotId, holder.keyId), true);
    const mistyped = caigun.apiKey.slice(0, -1) + (caigun.apiKey.endsWith("0") ? "1" : "0");
    const cases: [string | undefined, string][] = [
      [undefined, "missing_api_key"],
      ["", "missing_api_key"],
      [mistyped, "invalid_api_key"],
      ["secret", "invalid_api_key"],
      [other.apiKey, "invalid_api_key"],
    ];
    for (const [key, code] of cases) {
      using connection = rawConnection(port);
      // A million bytes are announced and none is sent: who wanted to read them first would wait for ever.
      connection.send(
        `POST /api/external/chatbot/train HTTP/1.1\r\nhost: caigun\r\ncontent-type: application/json\r\n${
          key === undefined ? "" : `api-key: ${key}\r\n`
        }content-length: 1000000\r\n\r\n`,
      );
      const reply = await connection.until(/\}$/);
      assert.match(reply, /^HTTP\/1\.1 401 /);
      assert.match(reply, new RegExp(`"code":"${code}"`), key);
    }
  });

  it("100 Continue comes only once the key is known", async () => {
    const head = (key: string) =>
      `POST /api/external/chatbot/train HTTP/1.1\r\nhost: caigun\r\napi-key: ${key}\r\n` +
      "content-type: application/json\r\nexpect: 100-continue\r\nconnection: close\r\n";
    using refused = rawConnection(port);
    refused.send(`${head("secret")}content-length: 100\r\n\r\n`);
    assert.match(await refused.until(/\}$/), /^HTTP\/1\.1 401 /);
    using welcome = rawConnection(port);
    const body = JSON.stringify({ text, title: "Continued" });
    welcome.send(`${head(caigun.apiKey)}content-length: ${body.length}\r\n\r\n`);
    await welcome.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/);
    welcome.send(body);
    assert.match(await welcome.toEnd(), /HTTP\/1\.1 200 /);
  });
});

describe("rate limits", () => {
  it("429 with Retry-After once the minute's requests are used up", async () => {
    const caigun = await startCaigun({ env: { CAIGUN_RATE_LIMIT_PER_MINUTE: "5" } });
    try {
      for (let request = 0; request < 5; request++)
        assert.equal((await caigun.call("/api/chatbot/models")).status, 200);
      const refused = await caigun.call("/api/chatbot/models");
      const wait = Number(refused.headers.get("retry-after"));
      assert(Number.isInteger(wait) && wait >= 1 && wait <= 12, `Retry-After is ${wait}`);
      await assertProblem(refused, 429, "rate_limited");
      await assertProblem(await caigun.call("/api/chatbot/models", { apiKey: null }), 429, "rate_limited");
      assert.equal((await caigun.call("/healthz")).status, 200, "health is outside of it");
    } finally {
      await caigun.remove();
    }
  });
});
