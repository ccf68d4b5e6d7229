import { createHash } from "node:crypto";
import { closeSync, createReadStream, fstatSync, openSync, readSync } from "node:fs";
import { BaseRefused } from "./problems.ts";

/** One system call reads no more than 2 GiB. */
const MOST_READ_BYTES = 1 << 30;

/** A file that is read in places, never whole. */
export class RandomAccessFile {
  readonly path: string;
  readonly bytes: number;
  readonly #descriptor: number;

  constructor(path: string) {
    this.path = path;
    try {
      this.#descriptor = openSync(path, "r");
    } catch (error) {
      throw new BaseRefused(`${path} can't be opened: ${(error as Error).message}. Name a file that is there.`, {
        cause: error,
      });
    }
    const found = fstatSync(this.#descriptor);
    if (!found.isFile()) {
      this.close();
      throw new BaseRefused(`${path} is no file: name a GGUF or safetensors file.`);
    }
    this.bytes = found.size;
  }

  /** `length` bytes from `offset` on. Throws BaseRefused where the file ends before. */
  read(offset: number, length: number): Buffer<ArrayBuffer> {
    if (offset < 0 || length < 0 || offset + length > this.bytes) throw this.#endsEarly(offset + length);
    // Of its own, not from Node's pool: typed arrays look at it from its first byte.
    const bytes = Buffer.allocUnsafeSlow(length);
    for (let read = 0; read < length; ) {
      const count = readSync(this.#descriptor, bytes, read, Math.min(length - read, MOST_READ_BYTES), offset + read);
      if (count === 0) throw this.#endsEarly(offset + length);
      read += count;
    }
    return bytes;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  #endsEarly(wanted: number): BaseRefused {
    return new BaseRefused(
      `${this.path} has ${this.bytes} bytes and ought to have at least ${wanted}: it is damaged or was not copied whole. Fetch it again.`,
    );
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}
