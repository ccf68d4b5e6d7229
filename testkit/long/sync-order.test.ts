import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { Product } from "../faults/product.ts";
import { type SystemCall, traceSystemCalls } from "../faults/system-calls.ts";

const CALLS = "openat,write,writev,pwrite64,pwritev,fsync,fdatasync,rename,renameat2,mkdir,sendto,sendmsg,recvfrom";

/** A kill cannot lose what the kernel holds, a power cut can: so the order in which the disk was told is looked at. */
test("text, its folder's entry and the database's log are on the disk before a training's 200 leaves", async () => {
  const product = await Product.start({ env: { CAIGUN_TRAININGS: "0" } });
  try {
    const text = `It costs ${Math.random()} euros. It opens at nine.`;
    const digest = createHash("sha256").update(text).digest("hex");
    const database = await product.postmaster();
    const family = await product.family();
    const postgres = family.filter(({ parent, pid }) => parent === database || pid === database).map(({ pid }) => pid);
    const trace = await traceSystemCalls([product.server.process.pid!, ...postgres], CALLS.split(","));
    const response = await product.server.call("/api/external/chatbot/train", {
      method: "POST",
      json: { title: "t", text },
    });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    const calls = (await trace.stop()).filter(({ result }) => !result.startsWith("-1"));

    const shelf = `${product.home}/blobs/${digest.slice(0, 2)}`;
    const placed = one(
      calls,
      "the blob gets its name",
      ({ name, args }) => name.startsWith("rename") && args.includes(`"${shelf}/${digest}"`),
    );
    const beside = /"([^"]+)"/.exec(placed.args)![1]!;
    const written = one(
      calls,
      "the blob is written",
      ({ name, args }) => name.includes("write") && args.includes(`<${beside}>`),
    );
    const synced = one(calls, "the blob is synced", isSyncOf(beside));
    const entered = one(calls, "its folder is synced", isSyncOf(shelf));
    const madeShelf = one(
      calls,
      "its folder is made",
      ({ name, args }) => name === "mkdir" && args.startsWith(`"${shelf}"`),
    );
    const shelfEntered = one(calls, "the folder above is synced", isSyncOf(`${product.home}/blobs`));

    const isOfDatabase = ({ thread }: SystemCall) => postgres.includes(thread);
    const asked = one(
      calls,
      "the backend is told to commit",
      (call) =>
        isOfDatabase(call) &&
        call.name === "recvfrom" &&
        call.args.includes('commit\\0"') &&
        call.returned > entered.begun,
    );
    const backend = (call: SystemCall) => call.thread === asked.thread && call.begun > asked.returned;
    const told = one(
      calls,
      "the backend says that it has committed",
      (call) => backend(call) && call.name === "sendto" && call.args.includes("COMMIT"),
    );
    const logWritten = last(
      calls,
      "the log is written",
      (call) =>
        isOfDatabase(call) && /pg_wal/.test(call.args) && call.name.startsWith("pwrite") && call.begun < told.begun,
    );
    const logSynced = last(
      calls,
      "the log is synced",
      (call) =>
        isOfDatabase(call) && /pg_wal/.test(call.args) && call.name === "fdatasync" && call.returned < told.begun,
    );
    const left = one(
      calls,
      "the reply leaves",
      ({ name, args }) => name.startsWith("write") && args.includes("HTTP/1.1 200 OK"),
    );

    inOrder([
      ["the blob's bytes are written", written.returned],
      ["and synced", synced.returned],
      ["and named", placed.returned],
      ["and the name is synced", entered.returned],
      ["the transaction commits", asked.begun],
      ["its log is written", logWritten.returned],
      ["and synced", logSynced.returned],
      ["the server is told", told.begun],
      ["the 200 leaves", left.begun],
    ]);
    inOrder([
      ["the blob's folder is made", madeShelf.returned],
      ["its own entry is synced", shelfEntered.returned],
      ["the blob is named in it", placed.begun],
    ]);
    assert(synced.begun > written.returned && entered.begun > placed.returned && logSynced.begun > logWritten.begun);
  } finally {
    await product.remove();
  }
});

const isSyncOf =
  (path: string) =>
  ({ name, args }: SystemCall) =>
    (name === "fsync" || name === "fdatasync") && args.endsWith(`<${path}>`);

function one(calls: SystemCall[], what: string, is: (call: SystemCall) => boolean): SystemCall {
  const found = calls.find(is);
  assert(found, `No system call shows that ${what}.`);
  return found;
}

function last(calls: SystemCall[], what: string, is: (call: SystemCall) => boolean): SystemCall {
  const found = calls.findLast(is);
  assert(found, `No system call shows that ${what}.`);
  return found;
}

function inOrder(moments: [what: string, at: number][]): void {
  for (const [at, [what, moment]] of moments.entries()) {
    const before = moments[at - 1];
    if (before) assert(before[1] < moment, `"${what}" (${moment}) must come after "${before[0]}" (${before[1]}).`);
  }
}
