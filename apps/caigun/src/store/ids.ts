import { randomBytes } from "node:crypto";

export type AccountId = string & { readonly brand: "AccountId" };
export type ChatbotId = string & { readonly brand: "ChatbotId" };

const CANONICAL_UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const NIL_UUID = "00000000-0000-0000-0000-000000000000";
const COUNTER_LIMIT = 0x1000;

let lastMs = 0;
let counter = 0;

/**
 * A UUID version 7 that is greater than every one this process made before, so that ordering by (created_at, id)
 * is total and follows the order of creation. Source: RFC 9562, section 6.2, method 1 (a counter in rand_a).
 * Generated here because PostgreSQL has uuidv7() from version 18 on only.
 */
export function newId(): string {
  const bytes = randomBytes(16);
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = bytes.readUInt16BE(6) & 0x7ff; // Half of the counter's range stays free for this millisecond.
  } else if (++counter === COUNTER_LIMIT) {
    lastMs += 1;
    counter = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return formatUuid(bytes);
}

/** The UUID version 8 (RFC 9562, section 5.8: contents of our own choosing) of the first 16 bytes of a digest. */
export function uuidOfDigest(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes[6] = 0x80 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return formatUuid(bytes);
}

/**
 * The id as given where it is a UUID in its usual spelling, else the nil UUID, which no row has: an id that a caller
 * made up finds nothing, instead of failing inside PostgreSQL.
 */
export function uuidOrNil(id: string): string {
  return CANONICAL_UUID.test(id) ? id : NIL_UUID;
}

function formatUuid(bytes: Buffer): string {
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
