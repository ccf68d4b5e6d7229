import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { partOf, processorSeconds, proportionalSetSizes } from "./parts.ts";

describe("the parts of a running CaiGun", () => {
  it("are told by their command lines", () => {
    const parts = {
      "npm start": "npm",
      "sh -c node apps/caigun/bin/caigun.mjs serve": "other",
      "node apps/caigun/bin/caigun.mjs serve": "server",
      "/usr/bin/node --max-old-space-size=256 /x/engines/local-reader/answer-child.ts": "answering",
      "/usr/bin/node --max-old-space-size=256 /x/engines/local-reader/build-child.ts": "training",
      "/x/native/bin/postgres -D /home/data": "database",
      "postgres: caigun postgres [local] idle": "database",
    };
    for (const [command, part] of Object.entries(parts)) assert.equal(partOf({ command }), part, command);
  });

  it("have a size and have used the processor", { skip: process.platform !== "linux" }, async () => {
    const [bytes] = Object.values(await proportionalSetSizes(process.pid));
    assert(bytes! > 1e6);
    const [seconds] = Object.values(await processorSeconds(process.pid));
    assert(seconds! > 0 && seconds! < 100);
  });
});
