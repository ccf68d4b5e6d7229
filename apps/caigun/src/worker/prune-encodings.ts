import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { IndexBuilder } from "../engines/local-reader/build.ts";
import type { EncodingsKept } from "../engines/local-reader/messages.ts";

const EVERY_MS = 6 * 3_600_000;
const LIMITS = { heapMiB: 256, timeoutMs: 120_000 };

/**
 * Prunes the encoded passages that are kept on this machine at once and every six hours, until the signal aborts: where no
 * training comes, none would. In a child, since SQLite may have to wait for one that does.
 */
export async function keepEncodingsPruned(
  encodings: EncodingsKept,
  { log }: { log: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await prune(encodings, signal).catch((error: unknown) => {
      if (!signal.aborted) log.warn({ err: error }, "can't prune what was encoded earlier; it is tried again");
    });
    await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

async function prune(encodings: EncodingsKept, signal: AbortSignal): Promise<void> {
  const isThere = await access(encodings.path).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  const builder = new IndexBuilder({ ...LIMITS, signal });
  try {
    await builder.prune(encodings);
  } finally {
    await builder.close();
  }
}
