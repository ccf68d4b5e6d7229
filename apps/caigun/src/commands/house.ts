import type { Logger } from "pino";
import type { BlobStore } from "../blobs/blob-store.ts";
import type { Answering } from "../engines/local-reader/answering.ts";
import type { AdapterWriters } from "../engines/lora/adapter-writers.ts";
import type { Exporting } from "../engines/lora/exporting.ts";
import type { Writers } from "../engines/writers/open-writers.ts";
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
  exporting: Exporting;
  /** Seals the copies of API keys that later calls return. 32 bytes. */
  sealingKey: Buffer;
  /** The writers that this server has been told how to reach. */
  configuredWriters: ReadonlySet<string>;
  writers: Writers;
  /** Those that were trained: a model's own weights. */
  adapterWriters: AdapterWriters;
  /** Whether a reply is refused where its writer can't be reached, instead of being the reader's. */
  strictEngines: boolean;
  log: Logger;
};
