import assert from "node:assert/strict";
import { test } from "node:test";
import { WeightsNotWritten, WeightsUnavailable } from "@caigun/weights";
import { BlobMissing } from "../blobs/blob-store.ts";
import { ChildEnded, ChildRefused } from "../children/child.ts";
import { explainFailure } from "./explain-failure.ts";

test("a machine that is short of something is a passing reason, also where the child was the one to see it", () => {
  const seen = { name: "Error", message: "database or disk is full", code: "ERR_SQLITE_ERROR", errcode: 13 };
  for (const error of [
    new ChildRefused(seen),
    new ChildRefused({ name: "Error", message: "ENOSPC: no space left on device, write", code: "ENOSPC" }),
    Object.assign(new Error("EDQUOT: quota exceeded"), { code: "EDQUOT" }),
  ]) {
    const { failure, mayHeal } = explainFailure("index", error);
    assert(mayHeal);
    assert.equal(failure.cause, "The disk is full.");
  }
  // SQLITE_IOERR_WRITE: the primary code is in the lowest byte.
  const ioError = { name: "Error", message: "disk I/O error", code: "ERR_SQLITE_ERROR", errcode: 10 | (3 << 8) };
  assert.match(explainFailure("index", new ChildRefused(ioError)).failure.cause, /disk failed/);
  assert(explainFailure("index", new ChildRefused(ioError)).mayHeal);
  const tooMany = explainFailure("store", Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" }));
  assert(tooMany.mayHeal);
  assert.match(tooMany.failure.fix, /ulimit/);
});

test("no cause names a path of the machine", () => {
  const path = "/root/home/blobs/ab/abcd";
  for (const error of [
    new ChildRefused({ name: "IndexUnusable", message: `The index ${path} is damaged: malformed` }),
    new ChildRefused({ name: "Error", message: `ENOENT: no such file or directory, open '${path}'`, code: "ENOENT" }),
    new ChildRefused({ name: "TypeError", message: `Cannot read ${path}` }),
    Object.assign(new Error(`EACCES: permission denied, open '${path}'`), { code: "EACCES" }),
    `thrown at ${path}`,
  ]) {
    const { cause, fix } = explainFailure("probe", error).failure;
    assert(!`${cause}${fix}`.includes("/root"), cause);
  }
});

test("what was written for the person is told as it is", () => {
  const nothing = { name: "NothingToIndex", message: "The text has no words." };
  assert.equal(explainFailure("passages", new ChildRefused(nothing)).failure.cause, nothing.message);
  assert.equal(explainFailure("passages", new ChildRefused(nothing)).mayHeal, false);
  assert(explainFailure("index", new ChildEnded("The training process ended: signal SIGKILL.")).mayHeal);
  assert.equal(explainFailure("index", new BlobMissing("ab")).mayHeal, false);
});

test("weights that the disk does not take are said to be that, without the machine's folders", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write '/root/weights/part'"), {
    code: "ENOSPC",
  });
  const { failure, mayHeal } = explainFailure("learn", new WeightsNotWritten("gpt2", "/root/weights", full));
  assert.equal(failure.cause, "gpt2 can't be written to this machine: the disk is full.");
  assert(mayHeal && !failure.fix.includes("/root"));
});

test("weights that could not be fetched are waited for only where they had begun to come, and no address is told", () => {
  const told = "model.safetensors of gpt2 can't be fetched. Try again.";
  for (const mayPass of [true, false]) {
    const error = new WeightsUnavailable("mirror.example:8080 did not give model.safetensors.", { told, mayPass });
    const { failure, mayHeal } = explainFailure("learn", error);
    assert.deepEqual([failure.cause, mayHeal], [told, mayPass]);
  }
});
