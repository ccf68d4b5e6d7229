import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Answering } from "../engines/local-reader/answering.ts";
import type { EventChanges } from "../jobs/event-changes.ts";
import type { Jobs } from "../jobs/index.ts";
import type { Store } from "../store/index.ts";

/** What every command works with. */
export type House = {
  store: Store;
  blobs: BlobStore;
  jobs: Jobs;
  changes: EventChanges;
  answering: Answering;
  /** Seals the copies of API keys that later calls return. 32 bytes. */
  sealingKey: Buffer;
  /** The writers that this server has been told how to reach. */
  configuredWriters: ReadonlySet<string>;
  log: Logger;
};
