import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiDocument, problems, problemsOf, type Route, routes } from "./index.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: { readonly required: string[] } }> };
  readonly responses: Record<string, { readonly content: Record<string, unknown> }>;
}

const table: readonly Route[] = routes;
const document = JSON.parse(
  JSON.stringify(openApiDocument(table, { serverUrl: "http://localhost:8000", version: "1" })),
) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
};
const operationOf = (route: Route) => document.paths[route.path]?.[route.method.toLowerCase()];

test("every route is there once, under its own path, with a reply for every status that it can give", () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  assert.deepEqual(
    operations.map(({ operationId }) => operationId).sort(),
    table.map(({ operationId }) => operationId).sort(),
  );
  for (const route of table) {
    const statuses = new Set(["200", ...problemsOf(route).map((code) => String(problems[code][0]))]);
    assert.deepEqual(new Set(Object.keys(operationOf(route)?.responses ?? {})), statuses);
    assert.equal(
      "text/event-stream" in (operationOf(route)?.responses["200"]?.content ?? {}),
      route.streams === "deltas" || route.streams === "events",
    );
  }
});

test("what has a default need not be sent", () => {
  const train = document.paths["/api/external/chatbot/train"]?.post;
  assert.deepEqual(train?.requestBody?.content["application/json"]?.schema.required, ["text", "title"]);
  const messages = document.paths["/api/external/chatbot/messages"]?.get;
  const required = messages?.parameters?.filter((parameter) => parameter.required).map(({ name }) => name);
  assert.deepEqual(required, ["uid"]);
});

test("every parameter in a path is declared", () => {
  for (const [path, operations] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    for (const { parameters = [] } of Object.values(operations)) {
      const declared = parameters.filter((parameter) => parameter.in === "path").map(({ name }) => name);
      assert.deepEqual(declared, names);
    }
  }
});

test("every reference leads to a component, and no component is left over", () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
  const components = new Set(Object.keys(document.components.schemas));
  assert.deepEqual(
    [...references].filter((name) => !components.has(name ?? "")),
    [],
  );
  // Progress is named by the description of the event stream, whose events no schema can describe.
  assert.deepEqual(
    [...components].filter((name) => !references.has(name)),
    ["Progress"],
  );
});

test("every code is some call's own or common, but for those that no call gives", () => {
  const given = new Set(table.flatMap((route) => problemsOf(route)));
  const left = Object.keys(problems).filter((code) => !given.has(code as keyof typeof problems));
  assert.deepEqual(left.sort(), ["method_not_allowed", "not_found"]);
});
