import { type Logger, pino } from "pino";
import type { Config } from "./config.ts";

/** One JSON line an event, on standard error: standard output is for people. */
export function openLog({ logLevel }: Pick<Config, "logLevel">): Logger {
  return pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: errorFacts } },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** What may be logged of an error: never the rows or parameters that drivers hang onto theirs, which hold titles. */
export function errorFacts(error: unknown): { type: string; message: string; code?: unknown; stack?: string } {
  if (!(error instanceof Error)) return { type: "thrown", message: String(error) };
  const { name, message, stack } = error;
  const code = "code" in error ? error.code : undefined;
  return { type: name, message, ...(code === undefined ? {} : { code }), ...(stack === undefined ? {} : { stack }) };
}
