import assert from "node:assert/strict";
import { test } from "node:test";
import { CannotStart } from "./foundation.ts";
import { whyNoPort } from "./server.ts";

const refusal = (code: string) => Object.assign(new Error(`listen ${code}: 127.0.0.1:80`), { code, syscall: "listen" });

test("a port that cannot be had is explained to the person; any other failure is left as it is", () => {
  for (const [code, message] of [
    ["EADDRINUSE", /^Port 80 is in use; .*PORT/],
    ["EACCES", /^Port 80 needs more rights .*PORT/],
  ] as const) {
    const reason = whyNoPort(refusal(code), 80);
    assert.ok(reason instanceof CannotStart);
    assert.match(reason.message, message);
  }
  const other = refusal("EADDRNOTAVAIL");
  assert.equal(whyNoPort(other, 80), other);
});
