import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import pg from "pg";
import { makeHome, runCommand } from "../testkit/caigun.ts";
import { useDatabases } from "../testkit/databases.ts";

describe("a start that fails", () => {
  const databases = useDatabases();

  test("on a port that is in use it says so, without a stack, and ends", async () => {
    const home = await makeHome();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as AddressInfo;
      const DATABASE_URL = await databases.newUrl();
      const { exitCode, stderr } = await runCommand(home, ["serve"], {
        DATABASE_URL,
        PORT: String(port),
        CAIGUN_LOG_LEVEL: "silent",
      });
      assert.equal(stderr, `Port ${port} is in use; stop what uses it, or set PORT.\n`);
      assert.equal(exitCode, 1);
    } finally {
      other.close();
      await rm(home, { recursive: true, force: true });
    }
  });

  test("without the database it was given it says so, and shows no password", async () => {
    const home = await makeHome();
    try {
      const DATABASE_URL = "postgres://me:a-secret@127.0.0.1:1/caigun";
      const { exitCode, stderr } = await runCommand(home, ["serve"], { DATABASE_URL, CAIGUN_LOG_LEVEL: "silent" });
      assert.match(stderr, /^The database can't be reached \(ECONNREFUSED\)\. Check DATABASE_URL, .*\n$/);
      assert.doesNotMatch(stderr, /a-secret/);
      assert.equal(exitCode, 1);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });

  test("where it cannot note that the first key was shown it closes what is open, and ends", async () => {
    const home = await makeHome();
    const DATABASE_URL = await databases.newUrl();
    const owner = new pg.Client({ connectionString: DATABASE_URL });
    await owner.connect();
    await owner.query("alter table installation add constraint never_shown check (first_key_shown_at is null)");
    await owner.end();
    try {
      const { exitCode, stderr } = await runCommand(home, ["serve"], { DATABASE_URL, PORT: "0" });
      assert.equal(exitCode, 1);
      assert.match(stderr, /never_shown/);
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  });
});
