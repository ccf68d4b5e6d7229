import assert from "node:assert/strict";
import { test } from "node:test";
import { type Route, routes } from "./index.ts";

const table: readonly Route[] = routes;

test("no two routes share a name, nor a method and path", () => {
  const names = table.map(({ operationId }) => operationId);
  assert.equal(new Set(names).size, names.length);
  const places = table.flatMap(({ method, path, aliases = [] }) =>
    [path, ...aliases].map((place) => `${method} ${place.replace(/\{\w+\}/g, "{}")}`),
  );
  assert.equal(new Set(places).size, places.length);
});

test("every path is also there in the first draft's spelling, with the same parameters", () => {
  const parameters = (path: string) => path.match(/\{\w+\}/g) ?? [];
  for (const { path, aliases = [], params } of table) {
    assert.ok(aliases.includes(path.replace("/api/external/", "/api/")), path);
    for (const alias of aliases) assert.deepEqual(parameters(alias), parameters(path));
    assert.deepEqual(
      parameters(path),
      Object.keys(params?.properties ?? {}).map((name) => `{${name}}`),
    );
  }
});

test("whoever takes an id in the path says what an unknown one gets", () => {
  for (const { path, params, unknownId, problems } of table) {
    assert.equal(unknownId !== undefined, params !== undefined, path);
    if (unknownId) assert.ok(problems.includes(unknownId), path);
  }
});

test("the documented calls and fields of generations 0 and 1 are all there", () => {
  const calls = table.map(({ method, path }) => `${method} ${path.replace("/api/external/chatbot/", "")}`);
  for (const call of [
    "POST train",
    "GET models",
    "PATCH model_id",
    "POST conversation",
    "GET messages",
    "GET conversation/uids",
  ]) {
    assert.ok(calls.includes(call), call);
  }
  const fields = (operationId: string) => {
    const reply = JSON.parse(JSON.stringify(table.find((route) => route.operationId === operationId)?.reply));
    const list = Object.values(reply.properties as Record<string, { items?: { properties: object } }>)[0]?.items;
    return Object.keys(list?.properties ?? reply.properties);
  };
  const documented = {
    trainModel: ["id"],
    listModels: ["title", "id", "updated_at", "created_at", "model_name", "training_data_type"],
    pinModel: ["detail"],
    converse: ["text"],
    listMessages: ["created_at", "receive", "send", "type", "id", "log_type", "kwargs"],
    listConversations: ["uid", "nickname", "source", "last_sent", "last_sent_at"],
  };
  for (const [operationId, names] of Object.entries(documented)) {
    for (const name of names) assert.ok(fields(operationId).includes(name), `${operationId}.${name}`);
  }
});
