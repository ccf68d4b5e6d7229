import type { ServerResponse } from "node:http";
import type { StreamedEvent } from "@caigun/contract";

/**
 * Writes server-sent events to a reply. It opens with the first event, or with the first heartbeat: until then the reply
 * can still become an ordinary one.
 */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #begin: () => void;
  readonly #heartbeat: NodeJS.Timeout;
  #open = false;
  #ended = false;

  /** `begin` takes the reply over and writes its head. Every `heartbeatMs` a comment line keeps the connection open. */
  constructor(response: ServerResponse, begin: () => void, heartbeatMs: number) {
    this.#response = response;
    this.#begin = begin;
    this.#heartbeat = setInterval(() => {
      if (!this.#response.writableNeedDrain) this.#write(": keep-alive\n\n");
    }, heartbeatMs);
    this.#heartbeat.unref();
    response.once("close", () => this.release());
  }

  get isOpen(): boolean {
    return this.#open;
  }

  open(): void {
    if (this.#open || this.#ended) return;
    this.#open = true;
    this.#begin();
  }

  /** Resolves when the client has room for more; also when it has gone: the server cuts off those who take nothing. */
  async send(event: Omit<StreamedEvent, "id"> & { readonly id?: string }): Promise<void> {
    const id = event.id === undefined ? "" : `id: ${event.id}\n`;
    // JSON holds no line breaks, so that one data line is enough.
    if (!this.#write(`event: ${event.event}\n${id}data: ${JSON.stringify(event.data)}\n\n`)) await this.#drained();
  }

  /** Sends what is left and ends the reply. */
  end(): void {
    if (this.#open && !this.#ended) this.#response.end();
    this.release();
  }

  /** Stops the heartbeat, for a reply that becomes an ordinary one. */
  release(): void {
    this.#ended = true;
    clearInterval(this.#heartbeat);
  }

  #write(text: string): boolean {
    if (this.#ended || this.#response.destroyed) return true;
    this.open();
    return this.#response.write(text);
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const response = this.#response;
      const done = () => {
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      response.once("drain", done);
      response.once("close", done);
      if (response.destroyed) done();
    });
  }
}
