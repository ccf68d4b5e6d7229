import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** From a cached answer to a slow engine. */
const bucketsSeconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];

const lagResolutionMs = 20;

export interface HttpMetrics {
  /** A request came in. */
  started(): void;
  /** It was replied to, or its client hung up. Operations and statuses are few; ids and texts never become labels. */
  ended(operation: string, status: string, seconds: number): void;
  /** A connection was refused because there are as many as the server holds. */
  dropped(): void;
  close(): void;
}

export function httpMetrics(registry: Registry): HttpMetrics {
  const durations = new Histogram({
    name: "caigun_http_request_duration_seconds",
    help: "From a request's headers to the end of its reply, by operation and status.",
    labelNames: ["operation", "status"],
    buckets: bucketsSeconds,
    registers: [registry],
  });
  const inFlight = new Gauge({
    name: "caigun_http_requests_in_flight",
    help: "Requests that are being worked on.",
    registers: [registry],
  });
  const dropped = new Counter({
    name: "caigun_http_connections_dropped_total",
    help: "Connections that were refused because there were too many.",
    registers: [registry],
  });
  // Node measures from one tick of its timer to the next, so that a loop that is never late shows the resolution.
  const delay = monitorEventLoopDelay({ resolution: lagResolutionMs });
  delay.enable();
  new Gauge({
    name: "caigun_event_loop_lag_seconds",
    help: "How late the event loop was since the last scrape, by quantile.",
    labelNames: ["quantile"],
    registers: [registry],
    collect() {
      for (const [quantile, percentile] of [
        ["0.5", 50],
        ["0.99", 99],
        ["1", 100],
      ] as const) {
        this.set({ quantile }, Math.max(0, delay.percentile(percentile) / 1e9 - lagResolutionMs / 1e3));
      }
      delay.reset();
    },
  });
  return {
    started: () => inFlight.inc(),
    ended: (operation, status, seconds) => {
      inFlight.dec();
      durations.observe({ operation, status }, seconds);
    },
    dropped: () => dropped.inc(),
    close: () => delay.disable(),
  };
}
