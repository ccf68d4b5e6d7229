import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** One JSON line an event, on standard error: standard output is for people. */
export function openLog({ logLevel }: Pick<Config, "logLevel">): Logger {
  return pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
