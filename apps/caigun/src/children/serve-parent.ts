import { flushCompileCache } from "node:module";
import type { FromChild, Refusal, ToChild } from "./child.ts";

/** `signal` aborts when the parent wants no reply to this request any more. */
export type Handler = (
  request: unknown,
  reportProgress: (progress: unknown) => void,
  signal: AbortSignal,
) => Promise<unknown> | unknown;

/**
 * The child's side of a `Child`: replies to the parent's requests, one at a time and in order. The process ends when
 * the parent is gone; a handler that computes for long sees that at its next report of progress.
 */
export function serveParent(handle: Handler): void {
  const parent = process.ppid;
  const exitWhenOrphaned = () => {
    if (!process.connected || process.ppid !== parent) process.exit(1);
  };
  const send = (message: FromChild) => {
    exitWhenOrphaned();
    process.send?.(message, undefined, undefined, exitWhenOrphaned);
  };
  process.on("disconnect", () => process.exit(0));
  // The terminal's Ctrl-C reaches the whole group: the parent decides when its children end.
  process.on("SIGINT", () => {});
  let isFirst = true;
  let last: Promise<void> = Promise.resolve();
  const running = new Map<number, AbortController>();
  process.on("message", (message: ToChild) => {
    const { id } = message;
    if ("cancel" in message) {
      running.get(id)?.abort();
      return;
    }
    const controller = new AbortController();
    running.set(id, controller);
    last = last.then(async () => {
      try {
        controller.signal.throwIfAborted();
        send({ id, reply: await handle(message.request, (progress) => send({ id, progress }), controller.signal) });
      } catch (error) {
        send({ id, error: refusalOf(error) });
      }
      running.delete(id);
      // A child is killed and never exits by itself, which is when Node would keep what it has compiled.
      if (isFirst) flushCompileCache();
      isFirst = false;
    });
  });
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, message, code, errcode } = error as Error & { code?: unknown; errcode?: unknown };
  return {
    name,
    message,
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof errcode === "number" ? { errcode } : {}),
  };
}
