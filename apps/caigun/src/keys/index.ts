export { keyDigest, keyHint, keyLooksRight, mintKey } from "./api-key.ts";
export { seal, secretFingerprint, unseal } from "./seal.ts";
