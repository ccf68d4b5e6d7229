import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { median, quantile, sendLoad } from "./load.ts";

describe("quantiles", () => {
  it("are values that were measured, by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, place) => place + 1);
    assert.equal(quantile(hundred, 0.5), 50);
    assert.equal(quantile(hundred, 0.99), 99);
    assert.equal(quantile(hundred, 1), 100);
    assert.equal(quantile([7], 0.01), 7);
  });

  it("of nothing are not a number", () => assert(Number.isNaN(quantile([], 0.5))));

  it("take the median in any order", () => assert.equal(median([9, 1, 5]), 5));
});

describe("a load", () => {
  it("sends each request with its key in turn, and counts every status", async () => {
    const seen: Record<string, number> = {};
    const server = createServer((request, response) => {
      const key = String(request.headers["api-key"]);
      seen[key] = (seen[key] ?? 0) + 1;
      request.resume().once("end", () => response.writeHead(key === "bad" ? 401 : 200).end("{}"));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const apiKeys = ["good", "bad", "good"];
    const { latencies, statuses } = await sendLoad({ url, apiKeys, bodies: ["a"], ratePerSecond: 300, seconds: 0.1 });
    server.close();
    assert.deepEqual(statuses, { 200: 20, 401: 10 });
    assert.deepEqual(seen, { good: 20, bad: 10 });
    assert.equal(latencies.length, 30);
    assert.deepEqual(
      latencies,
      [...latencies].sort((a, b) => a - b),
    );
  });

  it("counts a reply that comes late from when its request was due", async () => {
    // Held back until every request has come: the first has then waited for the last to be due.
    const held: (() => void)[] = [];
    const server = createServer((request, response) => {
      request.resume();
      held.push(() => response.end("{}"));
      if (held.length === 10) for (const release of held) release();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { latencies } = await sendLoad({ url, apiKeys: ["key"], bodies: ["a"], ratePerSecond: 100, seconds: 0.1 });
    server.close();
    assert(quantile(latencies, 1) >= 85, `the slowest took ${quantile(latencies, 1)} ms`);
  });
});
