import assert from "node:assert/strict";
import { test } from "node:test";
import { openApiDocument } from "@caigun/contract";
import { echoRoutes, startEchoServer } from "../../../../testkit/http-server.ts";
import { openApiAt } from "./public-pages.ts";

test("health, readiness and figures need no key", async () => {
  await using server = await startEchoServer();
  assert.deepEqual(await (await fetch(`${server.url}/healthz`)).json(), { ok: true });
  assert.deepEqual(await (await fetch(`${server.url}/readyz`)).json(), { ok: true, checks: { database: "ok" } });
  assert.match((await fetch(`${server.url}/metrics`)).headers.get("content-type") ?? "", /^text\/plain/);
});

test("a server that is not ready says 503, and what is missing", async () => {
  await using server = await startEchoServer({
    ready: async () => ({ ok: false, checks: { database: "not reachable" } }),
  });
  const reply = await fetch(`${server.url}/readyz`);
  assert.deepEqual([reply.status, await reply.json()], [503, { ok: false, checks: { database: "not reachable" } }]);
});

test("the OpenAPI document names the address it was asked at", async () => {
  await using server = await startEchoServer();
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    openapi: string;
    servers: { url: string }[];
  };
  assert.equal(document.openapi, "3.1.0");
  assert.equal(document.servers[0]?.url, server.url);
});

test("the OpenAPI document is made once, whatever addresses it is asked at", () => {
  let readings = 0;
  const table = [
    {
      ...echoRoutes[0],
      get summary() {
        readings += 1;
        return "Echo";
      },
    },
  ];
  const openApi = openApiAt(table, "1.2.3");
  const expected = (serverUrl: string) => openApiDocument(table, { serverUrl, version: "1.2.3" });
  assert.deepEqual(openApi("http://a.test"), expected("http://a.test"));
  assert.deepEqual(openApi("http://b.test"), expected("http://b.test"));
  const before = readings;
  for (let port = 1; port < 50; port += 1) openApi(`http://c.test:${port}`);
  assert.equal(readings, before);
});

test("an address has one limit for pages, unknown paths and calls, and only /healthz is outside it", async () => {
  await using server = await startEchoServer({ config: { rateLimitPerMinute: 4 } });
  const statuses: number[] = [];
  for (const path of ["/openapi.json", "/readyz", "/metrics", "/nowhere", "/openapi.json", "/nowhere", "/healthz"]) {
    const reply = await fetch(`${server.url}${path}`);
    await reply.arrayBuffer();
    statuses.push(reply.status);
  }
  assert.deepEqual(statuses, [200, 200, 200, 404, 429, 429, 200]);
});

test("the reference loads its script from here, and its policy lets nothing come from elsewhere", async () => {
  await using server = await startEchoServer();
  const page = await fetch(`${server.url}/docs`);
  const html = await page.text();
  const sources = [...html.matchAll(/\b(?:src|href|data-url)="([^"]*)"/g)].map(([, source]) => source ?? "");
  assert.deepEqual(new Set(sources), new Set(["/docs/scalar.js", "/openapi.json"]));
  const directives = (page.headers.get("content-security-policy") ?? "")
    .split("; ")
    .map((directive) => directive.split(" "));
  assert.deepEqual(directives[0], ["default-src", "'none'"]);
  for (const [name, ...values] of directives) {
    for (const value of values)
      assert.ok(["'none'", "'self'", "data:", "'unsafe-inline'"].includes(value), `${name} ${value}`);
  }
  const script = await fetch(`${server.url}/docs/scalar.js`);
  assert.match(script.headers.get("content-type") ?? "", /^text\/javascript/);
  assert.match(await script.text(), /createApiReference/);
});
