import { Agent, request } from "node:http";
import type { Load, LoadResult } from "./load.ts";

/**
 * The process that sends an open loop of requests: each at its time, however slow the replies are, and each counted from
 * that time on, so that a server that stalls is not spared the requests that would have come meanwhile.
 */
process.once("message", async ({ url, apiKeys, bodies, ratePerSecond, seconds }: Load) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 });
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  const count = Math.floor(ratePerSecond * seconds);
  const start = performance.now() + 50;
  const pending: Promise<void>[] = [];
  for (let sent = 0; sent < count; ) {
    const due = start + (sent * 1000) / ratePerSecond;
    const waitMs = due - performance.now();
    if (waitMs > 0.5) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      continue;
    }
    pending.push(send(bodies[sent % bodies.length]!, apiKeys[sent % apiKeys.length]!, due));
    sent++;
  }
  await Promise.all(pending);
  const elapsedSeconds = (performance.now() - start) / 1000;
  agent.destroy();
  process.send!({ latencies: latencies.sort((a, b) => a - b), statuses, elapsedSeconds } satisfies LoadResult, () =>
    process.disconnect(),
  );

  function send(text: string, apiKey: string, due: number): Promise<void> {
    const body = Buffer.from(JSON.stringify({ text }));
    return new Promise((resolve) => {
      const done = (status: string) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        latencies.push(performance.now() - due);
        resolve();
      };
      const sent = request(
        `${url}/api/external/chatbot/conversation`,
        {
          method: "POST",
          agent,
          headers: {
            "api-key": apiKey,
            uid: `load-${sentTo++ % 1_000}`,
            "content-type": "application/json",
            "content-length": body.length,
          },
        },
        (response) => {
          response.resume();
          response.once("end", () => done(String(response.statusCode)));
          response.once("error", () => done("broken"));
        },
      );
      sent.once("error", () => done("unsent"));
      sent.end(body);
    });
  }
});
let sentTo = 0;
