import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, lstat, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { newClusterFolder } from "../../../../testkit/cluster-folder.ts";
import { type SystemAccount, systemAccountFor } from "./account.ts";
import { type Postgres, type PostgresOptions, startPostgres } from "./index.ts";
import { postmasterPid, serversIn } from "./leftover.ts";
import { canEnter, place } from "./placement.ts";

const isRoot = process.getuid?.() === 0;
const password = "a password with %, ', \" and @";
const silent = { info() {}, error() {} };

async function newFolder(t: TestContext): Promise<string> {
  const folder = await newClusterFolder();
  t.after(() => rm(folder, { recursive: true, maxRetries: 5 }));
  return join(folder, "postgres");
}

/** Closed by the test itself, or after it where it fails. */
async function start(t: TestContext, options: PostgresOptions): Promise<Postgres> {
  const postgres = await startPostgres(options);
  t.after(() => postgres.close());
  return postgres;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {}); // The database may be killed meanwhile: the query says so.
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a process that runs the database and inserts one number after another, naming each that was committed. */
async function startServer(folder: string, account?: SystemAccount) {
  const program = `
    const { startPostgres } = await import(${JSON.stringify(new URL("./index.ts", import.meta.url).href)});
    const { default: pg } = await import(${JSON.stringify(import.meta.resolve("pg"))});
    const options = { folder: ${JSON.stringify(folder)}, password: ${JSON.stringify(password)}, log: console };
    const postgres = await startPostgres(options);
    console.log("data", postgres.data);
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("create table if not exists acknowledged (number int)");
    for (;;) {
      const { rows } = await client.query("insert into acknowledged select count(*) from acknowledged returning number");
      console.log(rows[0].number);
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    ...account,
    cwd: "/",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: number[] = [];
  let data = "";
  const some = Promise.withResolvers<void>();
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => {
    if (line.startsWith("data ")) data = line.slice(5);
    else if (/^\d+$/.test(line) && acknowledged.push(Number(line)) === 20) some.resolve();
  });
  await Promise.race([some.promise, once(child, "exit")]);
  assert.ok(acknowledged.length >= 20, "the server ended before it had inserted");
  return { child, data, acknowledged, lines };
}

async function kill(child: ChildProcess, closed: Promise<unknown[]>): Promise<void> {
  child.kill("SIGKILL");
  await closed; // What it had acknowledged is in the pipe, and read to its end.
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

describe("embedded PostgreSQL", { concurrency: 3, timeout: 90_000 }, () => {
  test("it answers on a socket that none but its user can enter, on no TCP port, and durably", async (t) => {
    const folder = await newFolder(t);
    const postgres = await start(t, { folder, password, log: silent });
    const settings =
      "'listen_addresses', 'fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding', 'lc_collate'";
    const rows = await query(
      postgres.url,
      `select name, setting from pg_settings where name in (${settings}) order by 1`,
    );
    assert.deepEqual(
      rows.map(({ name, setting }) => `${name}=${setting}`),
      ["fsync=on", "full_page_writes=on", "listen_addresses=", "server_encoding=UTF8", "synchronous_commit=on"],
    );
    const socket = new URL(postgres.url).searchParams.get("host")!;
    assert.equal((await stat(socket)).mode & 0o777, 0o700);
    await assert.rejects(query(postgres.url.replace("caigun:a", "caigun:b"), "select 1"), /password authentication/);
    await query(postgres.url, "create table kept (n int)");
    await query(postgres.url, "insert into kept values (1)");
    await postgres.close();
    assert.deepEqual(serversIn(postgres.data), []);
    const again = await start(t, { folder, password, log: silent });
    assert.deepEqual(await query(again.url, "select n from kept"), [{ n: 1 }]);
    await again.close();
    const other = startPostgres({ folder, password: "another", log: silent });
    await assert.rejects(other, /made with another password/);
    assert.deepEqual(serversIn(postgres.data), []);
  });

  test("after kill -9 of its server the database ends by itself, and no acknowledged row is lost", async (t) => {
    const folder = await newFolder(t);
    const committed: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { child, data, acknowledged, lines } = await startServer(folder);
      await kill(child, once(lines, "close"));
      committed.push(...acknowledged);
      if (round === 0) await until(() => serversIn(data).length === 0);
    }
    const postgres = await start(t, { folder, password, log: silent });
    const rows = await query(postgres.url, "select number from acknowledged order by number");
    const numbers = rows.map(({ number }) => number as number);
    assert.deepEqual(numbers, [...numbers.keys()], "each number once, with no gap");
    assert.ok(Math.max(...committed) < numbers.length);
    await postgres.close();
  });

  test("a database that outlived server and supervisor is stopped, and its rows are there", async (t) => {
    const folder = await newFolder(t);
    const { child, data, acknowledged, lines } = await startServer(folder);
    const postmaster = postmasterPid(data)!;
    const supervisor = Number((await readFile(`/proc/${postmaster}/stat`, "utf8")).split(") ")[1]!.split(" ")[1]);
    const closed = once(lines, "close");
    // Stopped, not killed: as if the watcher had not been scheduled yet when the next server comes.
    const shells = (await readFile(`/proc/${supervisor}/task/${supervisor}/children`, "utf8"))
      .trim()
      .split(" ")
      .map(Number);
    const watcher = shells.find((pid) => pid !== postmaster)!;
    for (const pid of [watcher, supervisor]) process.kill(pid, "SIGKILL");
    await kill(child, closed);
    assert.ok(serversIn(data).includes(postmaster), "it lives on");
    const postgres = await start(t, { folder, password, log: silent });
    assert.ok(!serversIn(data).includes(postmaster));
    const [row] = await query(postgres.url, "select count(*)::int as rows from acknowledged");
    assert.ok((row!.rows as number) >= acknowledged.length);
    await postgres.close();
  });

  test("a postmaster.pid whose number another process has now is no obstacle", async (t) => {
    const folder = await newFolder(t);
    const postgres = await start(t, { folder, password, log: silent });
    const file = join(postgres.data, "postmaster.pid");
    const contents = await readFile(file, "utf8");
    await postgres.close();
    const account = systemAccountFor(folder);
    const bystander = spawn("sleep", ["600"], { ...account, stdio: "ignore" });
    t.after(() => bystander.kill());
    await writeFile(file, contents.replace(/^\d+/, String(bystander.pid)));
    if (account) await chown(file, account.uid, account.gid);
    const again = await start(t, { folder, password, log: silent });
    assert.deepEqual(await query(again.url, "select 1 as n"), [{ n: 1 }]);
    await again.close();
    assert.equal(bystander.exitCode ?? bystander.signalCode, null, "it was left alone");
  });

  test("a database that is killed is started again under the same address", async (t) => {
    const postgres = await start(t, { folder: await newFolder(t), password, log: silent });
    await query(postgres.url, "create table kept as select 1 as n");
    for (let round = 0; round < 2; round++) {
      const killed = postmasterPid(postgres.data)!;
      process.kill(killed, "SIGKILL");
      await until(() => ![undefined, killed].includes(postmasterPid(postgres.data)));
      let rows: unknown;
      while (!rows) rows = await query(postgres.url, "select n from kept").catch(() => delay(20));
      assert.deepEqual(rows, [{ n: 1 }]);
    }
    await postgres.close();
    assert.deepEqual(serversIn(postgres.data), []);
  });

  test("closing while the killed database is being restarted ends it too", async (t) => {
    const postgres = await start(t, { folder: await newFolder(t), password, log: silent });
    process.kill(postmasterPid(postgres.data)!, "SIGKILL");
    await delay(50);
    await postgres.close();
    assert.deepEqual(serversIn(postgres.data), []);
  });

  test("below a deep folder the socket has a private folder elsewhere, which goes with the database", async (t) => {
    const folder = join(await newFolder(t), "deep".repeat(20), "deeper".repeat(20));
    await mkdir(dirname(folder), { recursive: true });
    for (let parent = dirname(folder); parent !== tmpdir(); parent = dirname(parent)) await chmod(parent, 0o711);
    const postgres = await start(t, { folder, password, log: silent });
    const socket = new URL(postgres.url).searchParams.get("host")!;
    assert.ok(!socket.startsWith(folder) && socket.length < 90, socket);
    assert.equal((await lstat(socket)).mode & 0o777, 0o700);
    await postgres.close();
    await assert.rejects(lstat(socket), { code: "ENOENT" });
  });

  test("a socket folder that others can enter is not used", async (t) => {
    const runtime = await newFolder(t);
    await mkdir(runtime);
    await chmod(runtime, 0o711);
    const folder = join(await newFolder(t), "deep".repeat(40));
    await mkdir(dirname(folder));
    await chmod(dirname(folder), 0o711);
    const first = place(folder, runtime);
    assert.equal(dirname(first.socket), runtime);
    assert.equal(place(folder, runtime).socket, first.socket, "its own it uses again");
    await chmod(first.socket, 0o755);
    const second = place(folder, runtime);
    t.after(() => rm(second.socket, { recursive: true }));
    assert.notEqual(second.socket, first.socket);
  });

  test("an initdb that was cut off is forgotten", async (t) => {
    const folder = await newFolder(t);
    await mkdir(join(folder, "data.new-0123abcd/base"), { recursive: true });
    const postgres = await start(t, { folder, password, log: silent });
    await postgres.close();
    assert.deepEqual((await readdir(folder)).sort(), ["data", "postgres.log", "socket"]);
  });

  test("data of another major version is refused with a sentence", async (t) => {
    const folder = await newFolder(t);
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(join(folder, "data/PG_VERSION"), "15\n");
    await assert.rejects(startPostgres({ folder, password, log: silent }), /PostgreSQL 15.*pg_dump/);
  });

  test("whether an account can enter a folder follows the mode bits of every folder above", async (t) => {
    const folder = await newFolder(t);
    await mkdir(join(folder, "below"), { recursive: true });
    const stranger = { uid: 12_345, gid: 12_345 };
    await chmod(folder, 0o711);
    await chmod(join(folder, "below"), 0o755);
    assert.equal(canEnter(join(folder, "below"), stranger), true);
    await chmod(folder, 0o766);
    assert.equal(canEnter(join(folder, "below"), stranger), false);
    const { uid, gid } = await stat(folder);
    assert.equal(canEnter(join(folder, "below"), { uid, gid }), true);
    assert.equal(canEnter(join(folder, "below"), { uid: 12_345, gid }), false);
  });

  if (isRoot) {
    test("as root, a folder that PostgreSQL's user can't reach has its data below /var/lib/caigun", async (t) => {
      const folder = await newFolder(t);
      await chmod(dirname(folder), 0o700);
      const said: string[] = [];
      const log = { info: (message: string) => said.push(message), error: assert.fail };
      for (let round = 0; round < 2; round++) {
        const postgres = await start(t, { folder, password, log });
        if (round === 0) t.after(() => rm(dirname(postgres.data), { recursive: true }));
        assert.match(postgres.data, /^\/var\/lib\/caigun\/[0-9a-f]{16}\/data$/);
        assert.ok(said.some((message) => message.includes(folder) && message.includes(postgres.data)));
        await query(postgres.url, "create table if not exists kept (n int)");
        await query(postgres.url, "insert into kept values (1)");
        const [row] = await query(postgres.url, "select count(*)::int as rows from kept");
        assert.equal(row!.rows, round + 1);
        await postgres.close();
      }
    });

    const user = {
      uid: Number(execFileSync("id", ["-u", "nobody"])),
      gid: Number(execFileSync("id", ["-g", "nobody"])),
    };
    // Where the project itself lies below a folder of root's alone, no other user can run it.
    if (canEnter(dirname(process.execPath), user) && canEnter(import.meta.dirname, user)) {
      test("it runs as a normal user, and then as root on that user's data", async (t) => {
        const folder = await newFolder(t);
        await mkdir(folder, { mode: 0o700 });
        await chown(folder, user.uid, user.gid);
        const { child, data, lines } = await startServer(folder, user);
        assert.equal((await stat(data)).uid, user.uid);
        await kill(child, once(lines, "close"));
        const postgres = await start(t, { folder, password, log: silent });
        const [row] = await query(postgres.url, "select count(*)::int as rows from acknowledged");
        assert.ok((row!.rows as number) >= 20);
        await postgres.close();
      });
    }
  }
});
