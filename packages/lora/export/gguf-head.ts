import type { TensorType } from "../base/base.ts";
import { type GgufScalar, type GgufValue, ggufTypes } from "../base/gguf-header.ts";
import { bytesOf, tensorTypes } from "../base/tensor-types.ts";

/** A value with how it is kept; of an array, how its elements are. */
export interface GgufField {
  type: number;
  value: GgufValue;
}

export interface GgufTensor {
  name: string;
  type: TensorType;
  /** Row-major, outermost first. */
  shape: readonly number[];
}

export interface GgufHead {
  /** What stands before the tensors, with the padding up to the first. */
  bytes: Buffer;
  /** Where each tensor begins in the file, in the order given. */
  offsets: number[];
  /** The whole file's length, in bytes; tensors are padded up to the alignment. */
  fileBytes: number;
}

const VERSION = 3;
const ALIGNMENT = 32;

/** What a GGUF file of version 3 begins with (docs/gguf.md of ggml). Tensors follow in the order given. */
export function ggufHead(fields: ReadonlyMap<string, GgufField>, tensors: readonly GgufTensor[]): GgufHead {
  const alignment = Number(fields.get("general.alignment")?.value ?? ALIGNMENT);
  const aligned = (at: number) => Math.ceil(at / alignment) * alignment;
  const pieces = new Pieces();
  pieces.raw(Buffer.from("GGUF"));
  pieces.scalar(ggufTypes.uint32, VERSION);
  pieces.scalar(ggufTypes.uint64, tensors.length);
  pieces.scalar(ggufTypes.uint64, fields.size);
  for (const [key, { type, value }] of fields) {
    pieces.scalar(ggufTypes.string, key);
    if (Array.isArray(value)) {
      pieces.scalar(ggufTypes.uint32, ggufTypes.array);
      pieces.scalar(ggufTypes.uint32, type);
      pieces.scalar(ggufTypes.uint64, value.length);
      for (const element of value) pieces.scalar(type, element);
    } else {
      pieces.scalar(ggufTypes.uint32, type);
      pieces.scalar(type, value);
    }
  }
  let end = 0;
  const places: number[] = [];
  for (const { name, type, shape } of tensors) {
    const bytes = bytesOf(
      type,
      shape.reduce((product, size) => product * size, 1),
    );
    if (bytes === undefined) throw new RangeError(`${name} (${shape.join(" x ")}) can't be kept in ${type}.`);
    pieces.scalar(ggufTypes.string, name);
    pieces.scalar(ggufTypes.uint32, shape.length);
    for (const size of shape.toReversed()) pieces.scalar(ggufTypes.uint64, size);
    pieces.scalar(ggufTypes.uint32, tensorTypes[type].ggml);
    pieces.scalar(ggufTypes.uint64, end);
    places.push(end);
    end = aligned(end + bytes);
  }
  const head = pieces.joined();
  const begin = aligned(head.length);
  return {
    bytes: Buffer.concat([head, Buffer.alloc(begin - head.length)]),
    offsets: places.map((place) => begin + place),
    fileBytes: begin + end,
  };
}

class Pieces {
  readonly #pieces: Buffer[] = [];

  raw(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }

  scalar(type: number, value: GgufScalar): void {
    if (type === ggufTypes.string) {
      const text = Buffer.from(String(value));
      this.scalar(ggufTypes.uint64, text.length);
      this.raw(text);
    } else this.raw(written(type, value));
  }

  joined(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}

function written(type: number, value: GgufScalar): Buffer {
  const bytes = Buffer.alloc(8);
  const number = Number(value);
  switch (type) {
    case ggufTypes.uint8:
    case ggufTypes.bool:
      return bytes.subarray(0, bytes.writeUInt8(number));
    case ggufTypes.int8:
      return bytes.subarray(0, bytes.writeInt8(number));
    case ggufTypes.uint16:
      return bytes.subarray(0, bytes.writeUInt16LE(number));
    case ggufTypes.int16:
      return bytes.subarray(0, bytes.writeInt16LE(number));
    case ggufTypes.uint32:
      return bytes.subarray(0, bytes.writeUInt32LE(number));
    case ggufTypes.int32:
      return bytes.subarray(0, bytes.writeInt32LE(number));
    case ggufTypes.float32:
      return bytes.subarray(0, bytes.writeFloatLE(number));
    case ggufTypes.uint64:
      return bytes.subarray(0, bytes.writeBigUInt64LE(BigInt(value)));
    case ggufTypes.int64:
      return bytes.subarray(0, bytes.writeBigInt64LE(BigInt(value)));
    case ggufTypes.float64:
      return bytes.subarray(0, bytes.writeDoubleLE(number));
    default:
      throw new RangeError(`GGUF has no values of type ${type}.`);
  }
}
