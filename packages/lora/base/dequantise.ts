import type { TensorType } from "./base.ts";
import { tensorTypes } from "./tensor-types.ts";

/**
 * The numbers that `bytes` hold, whole blocks of `type`, little-endian as all machines that Node runs on. Blocks are
 * those of llama.cpp's ggml-common.h.
 */
export function dequantise(type: TensorType, bytes: Buffer<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const { values, bytes: blockBytes } = tensorTypes[type];
  const count = (bytes.length / blockBytes) * values;
  switch (type) {
    case "F32":
      return new Float32Array(bytes.buffer, bytes.byteOffset, count);
    case "F16":
      return new Float32Array(new Float16Array(bytes.buffer, bytes.byteOffset, count));
    case "BF16":
      return fromBrainFloats(bytes, count);
    case "Q8_0":
      return fromBlocks(bytes, count, blockBytes, values, q8_0);
    case "Q4_0":
      return fromBlocks(bytes, count, blockBytes, values, q4_0);
    case "Q4_1":
      return fromBlocks(bytes, count, blockBytes, values, q4_1);
    case "Q6_K":
      return fromBlocks(bytes, count, blockBytes, values, q6_K);
  }
}

/** Writes one block's numbers from `to` on; `from` is where its bytes begin. */
type Block = (bytes: Buffer, from: number, into: Float32Array, to: number, halves: Uint16Array) => void;

function fromBlocks(bytes: Buffer<ArrayBuffer>, count: number, blockBytes: number, values: number, block: Block) {
  const into = new Float32Array(count);
  // All blocks are of even length, so that a 16-bit float in one stands at an even place.
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  for (let from = 0, to = 0; to < count; from += blockBytes, to += values) block(bytes, from, into, to, halves);
  return into;
}

/** Every 16-bit float by its bits. */
const halfValues = new Float32Array(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer));

const q8_0: Block = (bytes, from, into, to, halves) => {
  const scale = halfValues[halves[from >> 1]!]!;
  for (let at = 0; at < 32; at++) into[to + at] = scale * ((bytes[from + 2 + at]! << 24) >> 24);
};

const q4_0: Block = (bytes, from, into, to, halves) => {
  const scale = halfValues[halves[from >> 1]!]!;
  for (let at = 0; at < 16; at++) {
    const pair = bytes[from + 2 + at]!;
    into[to + at] = scale * ((pair & 15) - 8);
    into[to + 16 + at] = scale * ((pair >> 4) - 8);
  }
};

const q4_1: Block = (bytes, from, into, to, halves) => {
  const scale = halfValues[halves[from >> 1]!]!;
  const least = halfValues[halves[(from >> 1) + 1]!]!;
  for (let at = 0; at < 16; at++) {
    const pair = bytes[from + 4 + at]!;
    into[to + at] = scale * (pair & 15) + least;
    into[to + 16 + at] = scale * (pair >> 4) + least;
  }
};

/** 128 bytes of low four bits, 64 of high two, 16 scales of 8 bits, one scale for all. */
const q6_K: Block = (bytes, from, into, to, halves) => {
  const scale = halfValues[halves[(from + 208) >> 1]!]!;
  for (let half = 0; half < 2; half++) {
    const low = from + 64 * half;
    const high = from + 128 + 32 * half;
    const scales = from + 192 + 8 * half;
    for (let at = 0; at < 32; at++) {
      const bits = bytes[high + at]!;
      for (let quarter = 0; quarter < 4; quarter++) {
        const nibble = (bytes[low + at + 32 * (quarter & 1)]! >> (4 * (quarter >> 1))) & 15;
        const value = (nibble | (((bits >> (2 * quarter)) & 3) << 4)) - 32;
        const own = (bytes[scales + 2 * quarter + (at >> 4)]! << 24) >> 24;
        into[to + 128 * half + 32 * quarter + at] = scale * own * value;
      }
    }
  }
};

/** The upper half of a 32-bit float. */
function fromBrainFloats(bytes: Buffer<ArrayBuffer>, count: number): Float32Array<ArrayBuffer> {
  const bits = Uint32Array.from(new Uint16Array(bytes.buffer, bytes.byteOffset, count), (upper) => upper << 16);
  return new Float32Array(bits.buffer);
}
