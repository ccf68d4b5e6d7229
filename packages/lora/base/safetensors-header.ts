import { BaseRefused } from "./problems.ts";
import type { RandomAccessFile } from "./random-access-file.ts";
import { refuseMisplaced, type StoredTensor, shown } from "./stored-tensors.ts";
import { bytesOf } from "./tensor-types.ts";

const MOST_HEADER_BYTES = 16_000_000;
const MOST_DIMENSIONS = 8;
const TYPES = ["F32", "F16", "BF16"] as const;

/**
 * Reads what stands before the tensors of a safetensors file (huggingface/safetensors, "Format"). `isNeeded` says which
 * tensors to look at: others may be of any type. Throws BaseRefused.
 */
export function readSafetensorsHeader(
  file: RandomAccessFile,
  isNeeded: (name: string) => boolean,
): Map<string, StoredTensor> {
  const refused = (what: string, cause?: unknown) =>
    new BaseRefused(
      `${file.path} ${what}: it is no safetensors file that can be used. Fetch it again, or name another.`,
      {
        cause,
      },
    );
  const headerBytes = file.read(0, 8).readBigUInt64LE();
  if (headerBytes > BigInt(MOST_HEADER_BYTES)) throw refused(`claims a header of ${headerBytes} bytes`);
  const begin = 8 + Number(headerBytes);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(file.read(8, Number(headerBytes))));
  } catch (error) {
    if (error instanceof BaseRefused) throw error;
    throw refused("has a header that is no JSON", error);
  }
  if (!isObject(header)) throw refused("has a header that is no JSON object");

  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__" || !isNeeded(name)) continue;
    const { dtype, shape, data_offsets: place } = isObject(entry) ? entry : {};
    if (!isCounts(shape) || shape.length > MOST_DIMENSIONS || !isCounts(place) || place.length !== 2)
      throw refused(`does not say where ${shown(name)} is and of what shape`);
    const type = TYPES.find((candidate) => candidate === dtype);
    if (!type)
      throw new BaseRefused(
        `${file.path} keeps ${shown(name)} as ${shown(String(dtype))}, which can't be read here. Use a file in ${TYPES.join(", ")}.`,
      );
    const bytes = bytesOf(
      type,
      shape.reduce((product, size) => product * size, 1),
    );
    const [from, to] = place as [number, number];
    if (bytes !== to - from || bytes === 0)
      throw refused(`gives ${shown(name)}, of the shape ${shape.join(" x ")} in ${type}, ${to - from} bytes`);
    tensors.set(name, { name, type, shape, offset: begin + from, bytes });
  }
  refuseMisplaced([...tensors.values()], begin, file);
  return tensors;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}
