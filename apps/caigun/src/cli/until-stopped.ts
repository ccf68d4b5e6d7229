import type { Logger } from "pino";

/** One Ctrl-C can arrive twice: from the terminal, and handed on by npm. */
const SAME_REQUEST_MS = 1_000;

/** Resolves on SIGTERM or Ctrl-C; asked again later, the process ends at once. */
export function untilStopped(log: Logger): Promise<void> {
  let stoppingSinceMs: number | undefined;
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      if (stoppingSinceMs !== undefined) {
        if (performance.now() - stoppingSinceMs > SAME_REQUEST_MS) process.exit(1);
        return;
      }
      stoppingSinceMs = performance.now();
      log.info({ signal }, "stopping");
      resolve();
    };
    process.on("SIGTERM", stop).on("SIGINT", stop);
  });
}
