import assert from "node:assert/strict";
import { it } from "node:test";
import { TurnTaker } from "./turns.ts";

const takes = (code: string) => new TurnTaker(process.execPath, ["--eval", code]);

it("a turn taker makes its first step by itself, and each further one when it is told to", async () => {
  const counts = `
    const { readSync, writeSync } = require("node:fs");
    const held = Buffer.alloc(50e6, 1);
    for (let loss = 0; ; loss++) {
      writeSync(1, JSON.stringify({ loss, held: held.length }) + "\\n");
      if (readSync(0, Buffer.alloc(1)) === 0) break;
    }`;
  const taker = takes(counts);
  try {
    assert.equal((await taker.watched(taker.line<{ loss: number }>())).loss, 0);
    for (const expected of [1, 2, 3]) {
      const { loss, seconds } = await taker.watched(taker.step());
      assert.equal(loss, expected);
      assert(seconds > 0);
    }
    assert(taker.peakBytes > 50e6, `${taker.peakBytes} bytes`);
  } finally {
    await taker.end();
  }
  await taker.end();
});

it("a turn taker that ends is told of", async () => {
  const taker = takes("");
  await assert.rejects(taker.line(), /ended: see above/);
  await taker.end();
});
