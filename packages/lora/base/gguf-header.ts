import { BaseRefused } from "./problems.ts";
import type { RandomAccessFile } from "./random-access-file.ts";
import { refuseMisplaced, type StoredTensor, shown } from "./stored-tensors.ts";
import { bytesOf, tensorTypeNames, tensorTypes } from "./tensor-types.ts";

export type GgufScalar = number | bigint | boolean | string;
export type GgufValue = GgufScalar | GgufScalar[];

export interface GgufHeader {
  metadata: ReadonlyMap<string, GgufValue>;
  /** How each key's value is kept (enum gguf_metadata_value_type); of an array, its elements'. */
  valueTypes: ReadonlyMap<string, number>;
  tensors: ReadonlyMap<string, StoredTensor>;
  alignment: number;
}

/** More than any model of these families has; a file that claims more is refused before it is believed. */
const MOST_KEYS = 10_000;
const MOST_TENSORS = 20_000;
const MOST_ELEMENTS = 4_000_000;
const MOST_STRING_BYTES = 4_000_000;
const MOST_NAME_BYTES = 1_000;
const MOST_DIMENSIONS = 4;
const MOST_ALIGNMENT = 65_536;
const DEFAULT_ALIGNMENT = 32;
const WINDOW_BYTES = 1 << 18;

/** The value types of GGUF (enum gguf_metadata_value_type), with what one takes in the file at least, in bytes. */
export const ggufTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;
const LEAST_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8];

/**
 * Reads what stands before the tensors of a GGUF file, version 2 or 3 (docs/gguf.md of ggml). Every count and offset is
 * held against the file's size before memory is taken for it. Throws BaseRefused.
 */
export function readGgufHeader(file: RandomAccessFile): GgufHeader {
  const cursor = new Cursor(file);
  if (cursor.bytes(4).toString("latin1") !== "GGUF") throw cursor.refused("does not begin with GGUF");
  const version = cursor.uint32();
  if (version !== 2 && version !== 3)
    throw cursor.refused(
      version > 0xffff ? "is written for big-endian machines" : `has version ${version} of the format, not 2 or 3`,
    );
  const tensorCount = cursor.count("tensors", MOST_TENSORS, 24);
  const keyCount = cursor.count("metadata keys", MOST_KEYS, 13);

  const metadata = new Map<string, GgufValue>();
  const valueTypes = new Map<string, number>();
  for (let index = 0; index < keyCount; index++) {
    const key = cursor.string("a key's name", MOST_NAME_BYTES);
    if (metadata.has(key)) throw cursor.refused(`has the key ${shown(key)} twice`);
    const type = cursor.uint32();
    if (type === ggufTypes.array) {
      const elementType = cursor.uint32();
      valueTypes.set(key, elementType);
      metadata.set(key, cursor.array(key, elementType));
    } else {
      valueTypes.set(key, type);
      metadata.set(key, cursor.scalar(key, type));
    }
  }

  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || alignment < 1 || alignment > MOST_ALIGNMENT || alignment % 1 !== 0)
    throw cursor.refused("has a general.alignment that is no whole number of bytes");
  const listed = Array.from({ length: tensorCount }, () => readTensor(cursor, alignment));
  const begin = Math.ceil(cursor.position / alignment) * alignment;
  return { metadata, valueTypes, tensors: placed(listed, begin, cursor), alignment };
}

function readTensor(cursor: Cursor, alignment: number): StoredTensor {
  const name = cursor.string("a tensor's name", MOST_NAME_BYTES);
  const dimensions = cursor.uint32();
  if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
    throw cursor.refused(`says that ${shown(name)} has ${dimensions} dimensions`);
  const shape: number[] = [];
  // GGUF lists the innermost first.
  for (let index = 0; index < dimensions; index++) shape.unshift(cursor.safeUint64(`a dimension of ${shown(name)}`));
  const ggml = cursor.uint32();
  const type = tensorTypeNames.find((candidate) => tensorTypes[candidate].ggml === ggml);
  if (!type)
    throw new BaseRefused(
      `${cursor.path} keeps ${shown(name)} in a type (number ${ggml} of ggml) that can't be read here. Use a file in ${tensorTypeNames.join(", ")}: llama.cpp's llama-quantize makes one.`,
    );
  const count = shape.reduce((product, size) => product * size, 1);
  const bytes = shape.at(-1)! % tensorTypes[type].values === 0 ? bytesOf(type, count) : undefined;
  if (count < 1 || !Number.isSafeInteger(count) || bytes === undefined)
    throw cursor.refused(`says that ${shown(name)} has the shape ${shape.join(" x ")}, which can't be in ${type}`);
  const offset = cursor.safeUint64(`the offset of ${shown(name)}`);
  if (offset % alignment !== 0) throw cursor.refused(`has ${shown(name)} at ${offset}, no multiple of ${alignment}`);
  return { name, type, shape, offset, bytes };
}

/** Tensors with their places in the file, none of which may lie outside of it or on another's. */
function placed(listed: readonly StoredTensor[], begin: number, cursor: Cursor): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of listed) {
    if (tensors.has(tensor.name)) throw cursor.refused(`has the tensor ${shown(tensor.name)} twice`);
    tensors.set(tensor.name, { ...tensor, offset: begin + tensor.offset });
  }
  refuseMisplaced([...tensors.values()], begin, cursor.file);
  return tensors;
}

/** Reads a header from its first byte to its last, some of the file at a time. */
class Cursor {
  readonly file: RandomAccessFile;
  position = 0;
  #window = Buffer.alloc(0);
  #windowAt = 0;
  readonly #utf8 = new TextDecoder("utf-8", { fatal: true });

  constructor(file: RandomAccessFile) {
    this.file = file;
  }

  get path(): string {
    return this.file.path;
  }

  refused(what: string): BaseRefused {
    return new BaseRefused(
      `${this.path} ${what}: it is no GGUF file that can be used. Fetch it again, or name another.`,
    );
  }

  bytes(length: number): Buffer {
    const from = this.position - this.#windowAt;
    this.position += length;
    if (from + length <= this.#window.length) return this.#window.subarray(from, from + length);
    const start = this.position - length;
    const wanted = Math.max(length, Math.min(WINDOW_BYTES, this.file.bytes - start));
    this.#window = this.file.read(start, wanted);
    this.#windowAt = start;
    return this.#window.subarray(0, length);
  }

  uint32(): number {
    return this.bytes(4).readUInt32LE();
  }

  safeUint64(what: string): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.refused(`says that ${what} is ${value}`);
    return Number(value);
  }

  /** How many of something follow: no more than `most`, nor than the rest of the file has room for. */
  count(what: string, most: number, leastBytes: number): number {
    const value = this.bytes(8).readBigUInt64LE();
    if (value > BigInt(most)) throw this.refused(`claims ${value} ${what}, more than ${most}`);
    if (Number(value) * leastBytes > this.file.bytes - this.position)
      throw this.refused(`claims ${value} ${what}, for which it is too short`);
    return Number(value);
  }

  string(what: string, most: number): string {
    const bytes = this.bytes(this.count(`bytes in ${what}`, most, 1));
    try {
      return this.#utf8.decode(bytes);
    } catch (error) {
      throw new BaseRefused(this.refused(`has ${what} that is no UTF-8`).message, { cause: error });
    }
  }

  array(key: string, type: number): GgufScalar[] {
    if (type === ggufTypes.array) throw this.refused(`has arrays in an array as ${shown(key)}`);
    const leastBytes = LEAST_BYTES[type];
    if (leastBytes === undefined) throw this.refused(`has values of the unknown type ${type} as ${shown(key)}`);
    const elements: GgufScalar[] = [];
    const count = this.count(`elements of ${shown(key)}`, MOST_ELEMENTS, leastBytes);
    for (let index = 0; index < count; index++) elements.push(this.scalar(key, type));
    return elements;
  }

  scalar(key: string, type: number): GgufScalar {
    switch (type) {
      case ggufTypes.uint8:
        return this.bytes(1).readUInt8();
      case ggufTypes.int8:
        return this.bytes(1).readInt8();
      case ggufTypes.uint16:
        return this.bytes(2).readUInt16LE();
      case ggufTypes.int16:
        return this.bytes(2).readInt16LE();
      case ggufTypes.uint32:
        return this.uint32();
      case ggufTypes.int32:
        return this.bytes(4).readInt32LE();
      case ggufTypes.float32:
        return this.bytes(4).readFloatLE();
      case ggufTypes.bool:
        return this.bytes(1).readUInt8() !== 0;
      case ggufTypes.string:
        return this.string(`the value of ${shown(key)}`, MOST_STRING_BYTES);
      case ggufTypes.uint64:
        return this.bytes(8).readBigUInt64LE();
      case ggufTypes.int64:
        return this.bytes(8).readBigInt64LE();
      case ggufTypes.float64:
        return this.bytes(8).readDoubleLE();
      default:
        throw this.refused(`has a value of the unknown type ${type} as ${shown(key)}`);
    }
  }
}
