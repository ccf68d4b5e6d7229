import { setTimeout as delay } from "node:timers/promises";
import type pg from "pg";

/** Given the payload, or null after a lost connection was restored: whatever was notified meanwhile is unknown. */
export type Notified = (payload: string | null) => void;
export type Unlisten = () => void;

const RECONNECT_MS = 250;
const LONGEST_RECONNECT_MS = 10_000;

/**
 * One connection that listens for all of a program's channels, opened with the first of them and reopened, with its
 * channels, whenever it breaks.
 */
export function openListener(newClient: () => pg.Client, onError: (error: Error) => void) {
  const handlers = new Map<string, Set<Notified>>();
  const closing = new AbortController();
  let connected: Promise<pg.Client> | undefined;

  async function connect(): Promise<pg.Client> {
    const client = newClient();
    client.on("error", onError);
    client.on("notification", ({ channel, payload }) => {
      for (const handler of handlers.get(channel) ?? []) handler(payload ?? "");
    });
    try {
      await client.connect();
      for (const channel of handlers.keys()) await client.query(`listen ${client.escapeIdentifier(channel)}`);
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
    client.on("end", () => {
      if (!closing.signal.aborted) connected = reconnect();
    });
    return client;
  }

  async function reconnect(): Promise<pg.Client> {
    for (let waitMs = RECONNECT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RECONNECT_MS)) {
      await delay(waitMs, undefined, { signal: closing.signal });
      try {
        const client = await connect();
        for (const each of handlers.values()) for (const handler of each) handler(null);
        return client;
      } catch (error) {
        onError(error as Error);
      }
    }
  }

  return {
    async listen(channel: string, handler: Notified): Promise<Unlisten> {
      const known = handlers.get(channel);
      const set = known ?? new Set();
      handlers.set(channel, set.add(handler));
      if (!connected) {
        connected = connect();
        connected.catch(() => {
          connected = undefined;
        });
        await connected;
      } else if (!known) {
        const client = await connected;
        await client.query(`listen ${client.escapeIdentifier(channel)}`);
      }
      // The channel stays: there are few of them, and a notification that nobody handles costs nothing.
      return () => set.delete(handler);
    },
    async close(): Promise<void> {
      closing.abort();
      const client = await connected?.catch(() => undefined);
      await client?.end();
    },
  };
}
