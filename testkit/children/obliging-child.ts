import { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { serveParent } from "../../apps/caigun/src/children/serve-parent.ts";

/** A child that does what a test asks of it. */
type Request =
  | { do: "echo"; value: unknown }
  | { do: "throw"; message: string }
  | { do: "count"; to: number }
  | { do: "spin" }
  | { do: "wait" }
  | { do: "hang" }
  | { do: "take"; ms: number }
  | { do: "crash" }
  | { do: "fill a database" }
  | { do: "environment" };

serveParent((message, reportProgress, signal) => {
  const request = message as Request;
  switch (request.do) {
    case "echo":
      return request.value;
    case "throw":
      throw new RangeError(request.message);
    case "count":
      for (let step = 1; step <= request.to; step++) reportProgress(step);
      return request.to;
    case "spin":
      for (;;) reportProgress("spinning");
    case "wait":
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    case "hang":
      return new Promise(() => {});
    case "take":
      return delay(request.ms, request.ms);
    case "crash":
      return process.kill(process.pid, "SIGSEGV");
    case "fill a database":
      return new DatabaseSync(":memory:").exec("pragma max_page_count = 1; create table t (a); create table u (a)");
    case "environment":
      return process.env;
  }
});
