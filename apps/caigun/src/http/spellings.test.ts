import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plainUrl } from "./spellings.ts";

const path = fc
  .array(fc.string({ minLength: 1 }).map(encodeURIComponent), { minLength: 1, maxLength: 4 })
  .map((segments) => `/api/${segments.join("/")}`);
const pairs = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { minLength: 1, maxLength: 4 });
const encode = (list: readonly (readonly [string, string])[]) =>
  list.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
const decode = (url: string) => {
  const [pathname = "", query = ""] = url.split("?");
  return { pathname, pairs: [...new URLSearchParams(query)] };
};
// URLSearchParams and encodeURIComponent agree on well-formed text alone.
const wellFormed = pairs.filter((list) => list.flat().every((text) => text.isWellFormed()));

test("the samples' spelling without ? means the same as the one with it", () => {
  fc.assert(
    fc.property(path, wellFormed, (pathname, list) => {
      const query = encode(list);
      assert.deepEqual(decode(plainUrl(`${pathname}&${query}`)), decode(`${pathname}?${query}`));
      assert.deepEqual(
        decode(plainUrl(`${pathname}&${query}?explain=true`)),
        decode(`${pathname}?${query}&explain=true`),
      );
    }),
  );
});

test("a spelling that is right already stays as it is", () => {
  fc.assert(
    fc.property(path, wellFormed, (pathname, list) => {
      const url = `${pathname}?${encode(list)}`;
      assert.equal(plainUrl(url), url);
      assert.equal(plainUrl(pathname), pathname);
    }),
  );
});

test("repairing twice changes nothing more, whatever the address", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true }), path), (url) => {
      assert.equal(plainUrl(plainUrl(url)), plainUrl(url));
    }),
  );
});

test("an & outside /api is left alone", () => {
  assert.equal(plainUrl("/docs&x=1"), "/docs&x=1");
});

test("the absolute form that proxies get means its path", () => {
  assert.equal(plainUrl("http://example.test/api/external/x?a=1"), "/api/external/x?a=1");
  assert.equal(plainUrl("HTTPS://example.test"), "/");
  assert.equal(plainUrl("http://example.test?a=1"), "/?a=1");
});
