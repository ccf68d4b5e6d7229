import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { crc32 } from "node:zlib";

export type ZipEntry = {
  /** In ASCII, without a folder that would have to be made. */
  name: string;
  /** The file to take it from. */
  path: string;
};

const LOCAL_HEADER = 0x04034b50;
const CENTRAL_HEADER = 0x02014b50;
const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
/** 2.0, and made on Unix, so that the mode counts. */
const VERSION = 20;
const MADE_BY_UNIX = (3 << 8) | VERSION;
const REGULAR_FILE_MODE = 0o100_644;
/** The first of January 1980, the earliest that the format knows: the same files give the same archive. */
const DOS_DATE = (1 << 5) | 1;
/** Larger archives need the format's 64-bit fields. */
const MOST_BYTES = 0xffff_ffff;
const READ_BYTES = 1 << 20;

/**
 * Writes files into a zip archive as they are, without compressing them: trained numbers hardly shrink. Each is read in
 * pieces. Throws RangeError beyond 4 GiB. The format: PKWARE's APPNOTE.TXT 6.3.10, 4.3.
 */
export async function writeStoredZip(path: string, entries: readonly ZipEntry[]): Promise<void> {
  const archive = await open(path, "wx", 0o600);
  try {
    let position = 0;
    const append = async (bytes: Uint8Array) => {
      await archive.writeFile(bytes);
      position += bytes.length;
      if (position > MOST_BYTES)
        throw new RangeError("The files are too large for a zip archive without 64-bit fields.");
    };
    const directory: Buffer[] = [];
    for (const { name, path: from } of entries) {
      const facts = { name: Buffer.from(name, "ascii"), offset: position, ...(await checksumOf(from)) };
      await append(Buffer.concat([localHeader(facts), facts.name]));
      for await (const piece of createReadStream(from, { highWaterMark: READ_BYTES })) await append(piece as Buffer);
      directory.push(Buffer.concat([centralHeader(facts), facts.name]));
    }
    const central = Buffer.concat(directory);
    const end = endRecord(entries.length, central.length, position);
    await append(Buffer.concat([central, end]));
  } finally {
    await archive.close();
  }
}

type Facts = { name: Buffer; offset: number; crc: number; bytes: number };

async function checksumOf(path: string): Promise<{ crc: number; bytes: number }> {
  let [crc, bytes] = [0, 0];
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES })) {
    crc = crc32(piece as Buffer, crc);
    bytes += (piece as Buffer).length;
  }
  return { crc, bytes };
}

/** Fields of 2 or 4 bytes, in their order. */
function record(...fields: readonly (readonly [bytes: 2 | 4, value: number])[]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}

/** What both headers of a file say: version, flags, method (stored), time, date, checksum, sizes, lengths of name and extra field. */
const sharedFields = ({ name, crc, bytes }: Facts) =>
  [
    [2, VERSION],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, DOS_DATE],
    [4, crc],
    [4, bytes],
    [4, bytes],
    [2, name.length],
    [2, 0],
  ] as const;

function localHeader(facts: Facts): Buffer {
  return record([4, LOCAL_HEADER], ...sharedFields(facts));
}

function centralHeader(facts: Facts): Buffer {
  const mode = record([2, 0], [2, REGULAR_FILE_MODE]);
  return Buffer.concat([
    record([4, CENTRAL_HEADER], [2, MADE_BY_UNIX], ...sharedFields(facts)),
    // Comment, disk, internal attributes; then the mode in the upper half of the external ones, and the place.
    record([2, 0], [2, 0], [2, 0]),
    mode,
    record([4, facts.offset]),
  ]);
}

function endRecord(files: number, directoryBytes: number, directoryAt: number): Buffer {
  return record(
    [4, END_OF_CENTRAL_DIRECTORY],
    [2, 0],
    [2, 0],
    [2, files],
    [2, files],
    [4, directoryBytes],
    [4, directoryAt],
    [2, 0],
  );
}
