import assert from "node:assert/strict";
import { test } from "node:test";
import { nobodyLeft } from "../faults/scenarios.ts";

test("a training whose worker died, and that nobody takes over, ends by its deadline", async () => {
  assert.deepEqual(await nobodyLeft(), []);
});
