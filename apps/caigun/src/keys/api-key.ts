import { createHash, randomInt } from "node:crypto";
import { crc32 } from "node:zlib";

/**
 * An API key in GitHub's manner: a prefix that scanners and people recognise, 32 characters of entropy (190 bits), and
 * a checksum, so that a typo is refused without asking the database.
 * Source: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/
 */
const PREFIX = "cgk_";
const ENTROPY_LENGTH = 32;
const CHECKSUM_LENGTH = 6; // 62^6 > 2^32: room for every CRC-32.
const BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SHAPE = new RegExp(`^${PREFIX}[0-9A-Za-z]{${ENTROPY_LENGTH + CHECKSUM_LENGTH}}$`);

export function mintKey(): string {
  let key = PREFIX;
  for (let i = 0; i < ENTROPY_LENGTH; i++) key += BASE62[randomInt(BASE62.length)];
  return key + checksum(key);
}

/** Whether the key has our shape and its checksum fits: every key with a single wrong character fails. */
export function keyLooksRight(key: string): boolean {
  return SHAPE.test(key) && key.endsWith(checksum(key.slice(0, -CHECKSUM_LENGTH)));
}

/** What the database looks a key up by. SHA-256 without salt or stretching: the key itself is random enough. */
export function keyDigest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** The part of a key that lists may show: enough to recognise it, useless to guess it. */
export function keyHint(key: string): string {
  return `${key.slice(0, PREFIX.length + 4)}…${key.slice(-4)}`;
}

/** The CRC-32 of prefix and entropy in base 62, most significant digit first. */
function checksum(body: string): string {
  let rest = crc32(body);
  let digits = "";
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = BASE62[rest % 62] + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}
