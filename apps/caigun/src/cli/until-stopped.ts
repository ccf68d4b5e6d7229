import type { Logger } from "pino";

/** Resolves on SIGTERM or Ctrl-C; asked a second time, the process ends at once. */
export function untilStopped(log: Logger): Promise<void> {
  let stopping = false;
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals) => {
      if (stopping) process.exit(1);
      stopping = true;
      log.info({ signal }, "stopping");
      resolve();
    };
    process.on("SIGTERM", stop).on("SIGINT", stop);
  });
}
