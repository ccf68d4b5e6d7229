import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { AdapterFacts } from "@caigun/lora";
import { Child, ChildRefused } from "../../children/child.ts";
import { BaseMissing, type BaseOptions, refusalOf, requireBase } from "../base-model.ts";
import type { ExportRequest, MadeFormat } from "./export-messages.ts";

export type { MadeFormat } from "./export-messages.ts";

/** A file that is read once, from its beginning; destroy the body where it is not wanted any more. */
export type OpenedFile = { bytes: number; body: Readable };

export type Wanted = {
  format: MadeFormat;
  /** The stored adapter's file, and the SHA-256 of the base that it belongs to. */
  adapter: string;
  baseDigest: string;
  facts: AdapterFacts;
};

export type ExportingOptions = {
  base: Pick<BaseOptions, "choice" | "weightsFolder">;
  /** Where files stand while they are made. */
  workFolder: string;
};

/** As many files are made or sent already as the disk is trusted with. */
export class TooManyExports extends Error {
  override name = "TooManyExports";
}

/** Files that exist at a time, each up to as large as its base: of all chatbots, and of one. */
const MOST_FILES = 4;
const MOST_FILES_OF_ONE = 2;
const HEAP_MIB = 1_024;
/** Merging takes some 6 s for each 500 MB of a base. */
const TIMEOUT_MS = 300_000;

/** Makes files for other programs of stored adapters, one at a time, each in a process of its own. */
export class Exporting {
  #options: ExportingOptions;
  #files = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();
  #closed = new AbortController();

  constructor(options: ExportingOptions) {
    this.#options = options;
  }

  /**
   * The file is nowhere to be found any more when this resolves: it is gone with its body, also where this process is
   * killed. Throws TooManyExports, BaseMissing, what children throw, and the signal's reason.
   */
  async make(wanted: Wanted, chatbotId: string, signal: AbortSignal): Promise<OpenedFile> {
    const ofThisOne = this.#files.get(chatbotId) ?? 0;
    const ofAll = [...this.#files.values()].reduce((sum, files) => sum + files, 0);
    if (ofAll >= MOST_FILES || ofThisOne >= MOST_FILES_OF_ONE) throw new TooManyExports();
    this.#files.set(chatbotId, ofThisOne + 1);
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release(chatbotId);
      isHeld = false;
    };
    try {
      const handle = await this.#inTurn(() => this.#make(wanted, AbortSignal.any([signal, this.#closed.signal])));
      const opened = await openedFile(handle);
      // Whoever has the last byte may ask for the next file at once.
      opened.body.once("end", release).once("close", release);
      return opened;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends what is being made; bodies that are being read stay readable. */
  async close(): Promise<void> {
    this.#closed.abort(new Error("The server is closing."));
    await this.#last;
  }

  #release(chatbotId: string): void {
    const left = (this.#files.get(chatbotId) ?? 1) - 1;
    if (left === 0) this.#files.delete(chatbotId);
    else this.#files.set(chatbotId, left);
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #make({ format, adapter, baseDigest, facts }: Wanted, signal: AbortSignal): Promise<FileHandle> {
    signal.throwIfAborted();
    const base = await requireBase(this.#options.base, baseDigest);
    const folder = join(this.#options.workFolder, `export-${randomUUID()}`);
    const target = join(folder, "made");
    await mkdir(folder, { mode: 0o700 });
    const child = new Child({
      module: new URL("./export-child.ts", import.meta.url),
      name: "exporting",
      heapMiB: HEAP_MIB,
      inBackground: true,
    });
    try {
      const request: ExportRequest = { format, base, adapter, folder, target, facts };
      await child.request(request, { timeoutMs: TIMEOUT_MS, signal });
      return await open(target);
    } catch (error) {
      if (error instanceof ChildRefused && error.refusal.name === "BaseRefused")
        throw new BaseMissing(refusalOf(base, error), { cause: error });
      throw error;
    } finally {
      child.kill();
      await child.ended;
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** A file from its beginning, in pieces; its handle is closed with the body. */
export async function openedFile(handle: FileHandle): Promise<OpenedFile> {
  const { size } = await handle.stat();
  return { bytes: size, body: handle.createReadStream({ start: 0 }) };
}
