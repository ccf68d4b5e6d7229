import { createWriteStream } from "node:fs";
import { rm, stat } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Source } from "./manifest.ts";
import { SourceFailed } from "./problems.ts";

export type HuggingFaceSource = Extract<Source, { from: "hugging-face" }>;

export interface DownloadOptions {
  /** The hub's address, such as that of a mirror. */
  hubUrl: string;
  /** No file is longer: more is refused. */
  maxBytes: number;
  signal: AbortSignal | undefined;
  onBytes: (bytes: number) => void;
  /** How long it may take in all, ms: an hour where it is left out. */
  limitMs?: number;
}

/** Where a machine that can't reach the hub finds out, ms; and how long a download may stand still. */
const CONNECT_MS = 5_000;
const STALL_MS = 30_000;
const LIMIT_MS = 3_600_000;
/** Request Timeout and Too Many Requests (RFC 9110 and 6585): a later request may be answered. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429]);

/**
 * Downloads a file of a repository to `part`, going on where an earlier download stopped (RFC 9110, section 14.2).
 * Throws SourceFailed, whose message tells what the hub answered.
 */
export async function downloadFromHub(
  source: HuggingFaceSource,
  part: string,
  options: DownloadOptions,
): Promise<void> {
  const { hubUrl, maxBytes, signal, onBytes, limitMs = LIMIT_MS } = options;
  const path = [source.repository, "resolve", source.revision, source.path].join("/");
  const url = new URL(path, hubUrl.endsWith("/") ? hubUrl : `${hubUrl}/`);
  const present = (await stat(part).catch(() => undefined))?.size ?? 0;
  if (present === maxBytes) return;
  if (present > maxBytes) await rm(part);
  const from = present > maxBytes ? 0 : present;

  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(new Error("no reply")), CONNECT_MS);
  const limit = setTimeout(() => stalled.abort(new Error("the download took too long")), limitMs);
  const waitOn = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(new Error("the download stood still")), STALL_MS);
  };
  let mayPass = false;
  try {
    const response = await fetch(url, {
      signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
      headers: from > 0 ? { range: `bytes=${from}-` } : {},
    });
    waitOn();
    mayPass = response.ok || PASSING_STATUSES.has(response.status) || response.status >= 500;
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw new Error(`HTTP status ${response.status}`);
    }
    // A hub that ignores the range sends the whole file.
    const isResumed = response.status === 206;
    let bytes = isResumed ? from : 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        waitOn();
        if (bytes > maxBytes) {
          mayPass = false;
          return done(new Error(`more than ${maxBytes} bytes`));
        }
        onBytes(bytes);
        done(null, chunk);
      },
    });
    await pipeline(
      Readable.fromWeb(response.body as never),
      counted,
      createWriteStream(part, { flags: isResumed ? "a" : "w" }),
    );
  } catch (error) {
    signal?.throwIfAborted();
    const cause = stalled.signal.aborted ? (stalled.signal.reason as Error) : (error as Error);
    const because = cause.cause instanceof Error ? cause.cause.message : cause.message;
    throw new SourceFailed(`${url.host} did not give ${source.path}: ${because}.`, { mayPass, cause: error });
  } finally {
    clearTimeout(timer);
    clearTimeout(limit);
  }
}
