import type { Logger } from "pino";
import { type Store, touchKeys } from "../store/index.ts";

/** How late a key's last use may be shown, ms. Written in batches: a request must not wait for it. */
const WRITE_EVERY_MS = 5_000;

/** Remembers when each key was last used, and writes that down now and then. */
export class KeyUses {
  #store: Store;
  #log: Logger;
  #uses = new Map<string, Date>();
  #timer: NodeJS.Timeout;

  constructor(store: Store, log: Logger) {
    this.#store = store;
    this.#log = log;
    this.#timer = setInterval(() => void this.#write(), WRITE_EVERY_MS).unref();
  }

  note(keyId: string): void {
    this.#uses.set(keyId, new Date());
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#write();
  }

  async #write(): Promise<void> {
    const uses = [...this.#uses].map(([keyId, at]) => ({ keyId, at }));
    try {
      await touchKeys(this.#store.db, uses);
      // Only now, for a write that fails is made up for by the next; a use noted meanwhile stays to be written.
      for (const { keyId, at } of uses) if (this.#uses.get(keyId) === at) this.#uses.delete(keyId);
    } catch (error) {
      this.#log.warn({ err: error }, "can't write down when keys were last used");
    }
  }
}
