import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import {
  expireOverdue,
  referencedDigests,
  releaseIdempotent,
  removeExpiredIdempotent,
  type Store,
} from "../store/index.ts";

/** How late the end of a job that nobody works on any more may be told, ms. */
const EXPIRE_EVERY_MS = 5_000;
const SWEEP_EVERY_MS = 600_000;
/** Longer than the time between storing bytes and committing the row that refers to them can be. */
const SWEEP_GRACE_MS = 2 * 3_600_000;

type Tools = { store: Store; blobs: BlobStore; log: Logger };

/**
 * What a start puts right: jobs past their deadline end, and bytes that nothing refers to go. `alone`: no other server
 * is on this store, so what requests left half done was left by a server that is gone.
 */
export async function putInOrder({ store, blobs, log }: Tools, { alone }: { alone: boolean }): Promise<void> {
  const expired = await expireOverdue(store.db, new Date());
  if (alone) await releaseIdempotent(store.db);
  // Nobody else can then be between storing a text and committing its row. A worker can be about to store an index, but
  // writes its digest down before.
  const swept = await blobs.sweep(() => referencedDigests(store.db), alone ? 0 : SWEEP_GRACE_MS);
  if (expired.length > 0 || swept.removed > 0) log.info({ expired: expired.length, swept }, "put in order at start");
}

/** Repeats, until the signal aborts, what keeps the promises that no single request can keep. */
export async function maintain({ store, blobs, log }: Tools, signal: AbortSignal): Promise<void> {
  let nextSweep = Date.now() + SWEEP_EVERY_MS;
  for (;;) {
    await delay(EXPIRE_EVERY_MS, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) return;
    try {
      await expireOverdue(store.db, new Date());
      if (Date.now() < nextSweep) continue;
      nextSweep = Date.now() + SWEEP_EVERY_MS;
      await removeExpiredIdempotent(store.db, new Date());
      await blobs.sweep(() => referencedDigests(store.db), SWEEP_GRACE_MS);
    } catch (error) {
      log.error({ err: error }, "maintenance failed; it is tried again");
    }
  }
}
