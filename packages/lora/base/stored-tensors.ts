import type { TensorType } from "./base.ts";
import { BaseRefused } from "./problems.ts";
import type { RandomAccessFile } from "./random-access-file.ts";

/** A tensor as a file keeps it. */
export interface StoredTensor {
  name: string;
  type: TensorType;
  /** Row-major, outermost first. */
  shape: readonly number[];
  /** Where its bytes begin in the file, and how many there are. */
  offset: number;
  bytes: number;
}

/** Throws BaseRefused where tensors lie outside of the file or on one another. */
export function refuseMisplaced(tensors: readonly StoredTensor[], begin: number, file: RandomAccessFile): void {
  let end = begin;
  for (const tensor of [...tensors].sort((one, other) => one.offset - other.offset)) {
    const { name, offset, bytes } = tensor;
    const problem =
      offset < end
        ? "on another tensor's bytes"
        : offset + bytes > file.bytes
          ? `beyond the file's end, which is at ${file.bytes}`
          : undefined;
    if (problem)
      throw new BaseRefused(
        `${file.path} says that ${shown(name)} takes ${bytes} bytes from ${offset} on, ${problem}: it is damaged or was not copied whole. Fetch it again.`,
      );
    end = offset + bytes;
  }
}

/** What a file calls something, short enough for a message. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
