import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { openStore } from "../store/index.ts";
import { readiness } from "./api.ts";

test("a database that accepts connections and does not reply is told within two seconds", async () => {
  const sockets = new Set<Socket>();
  const frozen = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  }).listen(0, "127.0.0.1");
  await once(frozen, "listening");
  const { port } = frozen.address() as AddressInfo;
  const store = openStore(`postgres://nobody@127.0.0.1:${port}/none`, { maxConnections: 1, onError: () => undefined });
  try {
    const late = setTimeout(8_000, undefined, { ref: false });
    const told = await Promise.race([readiness({ store, answering: { isAlive: true } }), late]);
    assert.deepEqual(told, { ok: false, checks: { database: "no reply", answering: "ok" } });
  } finally {
    for (const socket of sockets) socket.destroy();
    await store.close();
    frozen.close();
  }
});
