import { BadSetting } from "../config.ts";

/** What the shell gets; docs/command-line.md lists them. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, noServer: 3, refused: 4 } as const;

/** A command could not do what it was asked: the message says why and what to do. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
  readonly exitCode: number;
  readonly details: Readonly<Record<string, unknown>>;
  constructor(message: string, exitCode: number = exitCodes.failed, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.exitCode = exitCode;
    this.details = details;
  }
}

/** Errors whose message is meant for the person; by name, so that a command loads only the rooms it needs. */
const foreseen = new Set([
  "CommandFailed",
  "BadSetting",
  "HomeBusy",
  "CannotStart",
  "WrongEncryptionKey",
  "WeightsUnavailable",
  "WeightsNotWritten",
  "WeightsRefused",
]);

/** Prints why a command failed and sets the exit code. Anything unforeseen shows its stack: it is a fault to report. */
export function fail(error: unknown, { json }: { json: boolean }): void {
  const known = error instanceof Error && foreseen.has(error.name);
  const message = error instanceof Error ? error.message : String(error);
  process.exitCode =
    error instanceof CommandFailed ? error.exitCode : error instanceof BadSetting ? exitCodes.usage : exitCodes.failed;
  if (json) {
    const details = error instanceof CommandFailed ? error.details : {};
    process.stdout.write(`${JSON.stringify({ error: message, ...details })}\n`);
  } else {
    process.stderr.write(known ? `${message}\n` : `${error instanceof Error ? error.stack : message}\n`);
  }
}
