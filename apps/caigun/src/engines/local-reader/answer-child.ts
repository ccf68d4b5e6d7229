import { openIndex, type PassageIndex } from "@caigun/passages";
import { serveParent } from "../../children/serve-parent.ts";
import type { AskReply, AskRequest } from "./messages.ts";
import { openReader } from "./reader.ts";

/** Bytes of index files held open at a time; the least recently asked is closed first. */
const OPEN_INDEX_BYTES = 256 * 1024 * 1024;

/** An index that nobody has asked for this long, ms, is closed: until then a deleted one keeps its bytes on the disk. */
const IDLE_MS = 30 * 60_000;

type OpenIndex = { index: PassageIndex; askedAtMs: number };
const reader = openReader();
const open = new Map<string, OpenIndex>();
let openBytes = 0;

/** The process that answers: it keeps the indexes it was asked about open. */
serveParent((message): Promise<AskReply> => {
  const { key, index, question, ...options } = message as AskRequest;
  return reader.read(opened(key, index), question, options);
});

setInterval(() => {
  const oldest = performance.now() - IDLE_MS;
  for (const [key, { askedAtMs }] of open) if (askedAtMs < oldest) close(key);
}, IDLE_MS / 10).unref();

function opened(key: string, path: string): PassageIndex {
  const found = open.get(key);
  const index = found?.index ?? openIndex(path);
  if (found) {
    // A Map keeps the order of insertion: put in again, it is the most recently used.
    open.delete(key);
  } else {
    for (const oldest of open.keys()) {
      if (openBytes + index.bytes <= OPEN_INDEX_BYTES) break;
      close(oldest);
    }
    openBytes += index.bytes;
  }
  open.set(key, { index, askedAtMs: performance.now() });
  return index;
}

function close(key: string): void {
  const { index } = open.get(key)!;
  open.delete(key);
  openBytes -= index.bytes;
  index.close();
}
