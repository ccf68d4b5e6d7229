import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { keyDigest, keyHint, keyLooksRight, mintKey, seal, secretFingerprint, unseal } from "./index.ts";

test("a minted key looks right, and no two are alike", () => {
  const keys = Array.from({ length: 1000 }, mintKey);
  for (const key of keys) {
    assert.match(key, /^cgk_[0-9A-Za-z]{38}$/);
    assert.ok(keyLooksRight(key), key);
  }
  assert.equal(new Set(keys).size, keys.length);
});

test("every single-character typo is refused", () => {
  const alphabet = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i));
  const key = mintKey();
  for (let at = 0; at < key.length; at++) {
    for (const character of alphabet) {
      if (character === key[at]) continue;
      const typo = key.slice(0, at) + character + key.slice(at + 1);
      assert.equal(keyLooksRight(typo), false, typo);
    }
  }
});

test("swapped neighbours, a lost or an added character and any other text are refused", () => {
  const key = mintKey();
  for (let at = 0; at + 1 < key.length; at++) {
    const swapped = key.slice(0, at) + key[at + 1] + key[at] + key.slice(at + 2);
    if (swapped !== key) assert.equal(keyLooksRight(swapped), false, swapped);
    assert.equal(keyLooksRight(key.slice(0, at) + key.slice(at + 1)), false);
    assert.equal(keyLooksRight(`${key.slice(0, at)}a${key.slice(at)}`), false);
  }
  assert.equal(keyLooksRight(`${key}\n`), false);
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => !keyLooksRight(text)));
});

test("the digest is SHA-256, and the hint shows eight of the random characters at most", () => {
  assert.equal(keyDigest("abc").toString("hex"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const key = mintKey();
  assert.equal(keyHint(key), `${key.slice(0, 8)}…${key.slice(-4)}`);
});

test("what is sealed comes back, and only with the same secret and unchanged", () => {
  const secret = randomBytes(32);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (plain) => unseal(secret, seal(secret, plain)) === plain));
  const sealed = seal(secret, "plain");
  assert.notDeepEqual(seal(secret, "plain"), sealed, "each seal has its own nonce");
  assert.throws(() => unseal(randomBytes(32), sealed));
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at]! ^= 1;
    assert.throws(() => unseal(secret, changed), `byte ${at}`);
  }
  for (let length = 0; length < sealed.length; length++)
    assert.throws(() => unseal(secret, sealed.subarray(0, length)));
  assert.throws(() => seal(Buffer.alloc(16), "plain"), /at least 32/);
});

test("a fingerprint tells secrets apart and holds none of them", () => {
  const secret = randomBytes(32);
  assert.equal(secretFingerprint(secret), secretFingerprint(Buffer.from(secret)));
  assert.notEqual(secretFingerprint(secret), secretFingerprint(randomBytes(32)));
  assert.ok(!secretFingerprint(secret).includes(secret.toString("hex")));
});
