import { EVENT_CHANNEL, type Store } from "../store/index.ts";

/** A follower looks again after this long, ms, should a notification have been lost with a broken connection. */
const LOOK_AGAIN_MS = 5_000;

export type EventChanges = {
  follow(eventId: string): Following;
  close(): void;
};

export type Following = {
  /** Resolves when the event has changed since the last call, or may have; rejects when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
  close(): void;
};

/** Tells those who follow an event that its row has changed, on whatever machine that was done. */
export async function openEventChanges(store: Store): Promise<EventChanges> {
  const followers = new Map<string, Set<() => void>>();
  const unlisten = await store.listen(EVENT_CHANNEL, (eventId) => {
    if (eventId !== null) for (const wake of followers.get(eventId) ?? []) wake();
    // The connection broke and is back: anything may have changed.
    else for (const following of followers.values()) for (const wake of following) wake();
  });

  return {
    follow(eventId) {
      let hasChanged = false;
      let wakeWaiting: (() => void) | undefined;
      const wake = () => {
        hasChanged = true;
        wakeWaiting?.();
      };
      const nextWake = (signal: AbortSignal) =>
        new Promise<void>((resolve, reject) => {
          const settle = (how: () => void) => () => {
            clearTimeout(timer);
            signal.removeEventListener("abort", abort);
            wakeWaiting = undefined;
            how();
          };
          const abort = settle(() => reject(signal.reason));
          const timer = setTimeout(settle(resolve), LOOK_AGAIN_MS);
          signal.addEventListener("abort", abort);
          wakeWaiting = settle(resolve);
        });
      const others = followers.get(eventId) ?? new Set();
      followers.set(eventId, others.add(wake));
      return {
        async changed(signal) {
          signal.throwIfAborted();
          if (!hasChanged) await nextWake(signal);
          hasChanged = false;
        },
        close() {
          others.delete(wake);
          if (others.size === 0) followers.delete(eventId);
        },
      };
    },
    close: unlisten,
  };
}
