import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/**
 * AES-256-GCM, for what must be given back in plain text later. A sealed value is: one byte of format, 12 of nonce, 16
 * of authentication tag, then the encrypted bytes. Source: NIST SP 800-38D; a random nonce is safe for 2^32 seals.
 */
const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES + TAG_BYTES;
const LEAST_SECRET_BYTES = 32;

export function seal(secret: Buffer, plain: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", derive(secret, "seal"), nonce);
  const encrypted = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), encrypted]);
}

/** Throws where the value was sealed with another secret, or changed since. */
export function unseal(secret: Buffer, sealed: Buffer): string {
  if (sealed.length < HEADER_BYTES || sealed[0] !== FORMAT) throw new Error("This is not a sealed value.");
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", derive(secret, "seal"), nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(1 + NONCE_BYTES, HEADER_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES)), decipher.final()]).toString("utf8");
}

/** Tells secrets apart without giving them away; kept in the database that the secret belongs to. */
export function secretFingerprint(secret: Buffer): string {
  return createHmac("sha256", derive(secret, "fingerprint")).digest("hex");
}

/** One key for each purpose, so that none weakens another. Source: RFC 5869. */
function derive(secret: Buffer, purpose: string): Buffer {
  if (secret.length < LEAST_SECRET_BYTES) {
    throw new Error(`The encryption key has ${secret.length} bytes; it needs at least ${LEAST_SECRET_BYTES}.`);
  }
  return Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), `caigun ${purpose}`, 32));
}
