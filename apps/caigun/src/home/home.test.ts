import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { HomeBusy, openHome, readAnnouncement } from "./index.ts";

const weights = { gpt2Base: null, embedder: "none", weightsFolder: "/weights", strictEngines: false };

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-home-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "home");
}

/** Starts a process that opens the home and says "open"; it holds the home until it is killed. */
async function holdElsewhere(t: TestContext, folder: string) {
  const program = `
    const { openHome } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const home = await openHome(${JSON.stringify(folder)});
    await home.announce({ url: "http://127.0.0.1:1", pid: process.pid, databaseUrl: "postgres://127.0.0.1:1", writers: [], weights: ${JSON.stringify(weights)} });
    globalThis.gc();
    console.log("open");
    process.stdin.resume();`;
  const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", program], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

test("the home is made for its owner alone, and a secret stays the same with mode 0600", async (t) => {
  const folder = await newFolder(t);
  const home = await openHome(folder);
  const secret = await home.secret("encryption-key");
  assert.equal(secret.length, 32);
  assert.deepEqual(await home.secret("encryption-key"), secret);
  assert.notDeepEqual(await home.secret("database-password"), secret);
  await home.announce({
    url: "http://127.0.0.1:8000",
    pid: process.pid,
    databaseUrl: "postgres://127.0.0.1:1",
    writers: [],
    weights,
  });
  const open = process.getuid!() === 0 ? 0o711 : 0o700;
  assert.equal((await stat(folder)).mode & 0o777, open);
  assert.equal((await stat(join(folder, "secrets"))).mode & 0o777, 0o700);
  for (const file of ["secrets/encryption-key", "secrets/database-password", "lock.sqlite", "server.json"]) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
  }
  await home.close();
  const again = await openHome(folder);
  assert.deepEqual(await again.secret("encryption-key"), secret);
  await again.close();
  assert.deepEqual((await readdir(folder)).sort(), ["lock.sqlite", "secrets"]);
});

test("a damaged secret is refused, never replaced", async (t) => {
  const home = await openHome(await newFolder(t));
  t.after(() => home.close());
  await home.secret("encryption-key");
  await writeFile(join(home.folder, "secrets/encryption-key"), "");
  await assert.rejects(home.secret("encryption-key"), /damaged/);
  await assert.rejects(home.secret("../encryption-key"), /no name/);
});

test("a second holder is refused with the first one's pid, in this process and from another", async (t) => {
  const folder = await newFolder(t);
  const home = await openHome(folder);
  await assert.rejects(openHome(folder), (error) => error instanceof HomeBusy && error.pid === process.pid);
  await home.close();
  const child = await holdElsewhere(t, folder);
  t.after(() => child.kill("SIGKILL"));
  await assert.rejects(openHome(folder), (error) => {
    assert.ok(error instanceof HomeBusy);
    assert.equal(error.pid, child.pid);
    assert.match(error.message, new RegExp(`process ${child.pid}.*CAIGUN_HOME`));
    return true;
  });
});

test("the announcement is seen while the server lives, and not after kill -9", async (t) => {
  const folder = await newFolder(t);
  assert.equal(await readAnnouncement(folder), undefined);
  const child = await holdElsewhere(t, folder);
  assert.deepEqual(await readAnnouncement(folder), {
    url: "http://127.0.0.1:1",
    pid: child.pid,
    databaseUrl: "postgres://127.0.0.1:1",
    writers: [],
    weights,
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(await readAnnouncement(folder), undefined);
  const home = await openHome(folder);
  assert.equal(await readAnnouncement(folder), undefined, "held, but not announced yet");
  await home.close();
});
