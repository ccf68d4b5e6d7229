import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { OpenEncoders } from "./open-encoders.ts";

test("a model that can't be opened is tried again, but not more than once a minute", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const tries = t.mock.method(console, "error", () => {});
  const files = {
    embedder: "all-minilm-l6-v2-int8",
    digest: "0",
    model: join(tmpdir(), "no-such-model.onnx"),
  } as const;
  const encoders = new OpenEncoders(1);
  assert.deepEqual(await Promise.all([encoders.get(files), encoders.get(files)]), [undefined, undefined]);
  assert.equal(tries.mock.callCount(), 1, "those who ask at once share one try");
  t.mock.timers.tick(59_000);
  assert.equal(await encoders.get(files), undefined);
  assert.equal(tries.mock.callCount(), 1);
  t.mock.timers.tick(1_000);
  assert.equal(await encoders.get(files), undefined);
  assert.equal(tries.mock.callCount(), 2);
});
