import { execFile } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { type SystemAccount, systemAccountFor } from "../apps/caigun/src/postgres/account.ts";
import { supervise } from "../apps/caigun/src/postgres/supervisor.ts";
import { newClusterFolder } from "./cluster-folder.ts";

export type InstalledPostgres = { version: string; programs: string };

/** Where Debian and its kin install the servers, one folder for each major version. */
const INSTALLED = "/usr/lib/postgresql";
const PASSWORD = "test";
const START_LIMIT_MS = 30_000;

/** The newest PostgreSQL server that the system has. */
export function findInstalledPostgres(): InstalledPostgres | undefined {
  if (!existsSync(INSTALLED)) return undefined;
  const versions = readdirSync(INSTALLED)
    .filter((version) => existsSync(join(INSTALLED, version, "bin/initdb")))
    .sort((a, b) => Number(b) - Number(a));
  return versions[0] ? { version: versions[0], programs: join(INSTALLED, versions[0], "bin") } : undefined;
}

/** Starts it on data of its own, on a TCP port: the way an external database is reached. */
export async function startInstalledPostgres({ programs }: InstalledPostgres) {
  const folder = await newClusterFolder();
  const account = systemAccountFor(folder);
  const root = join(folder, "cluster");
  mkdirSync(root, { mode: 0o700 });
  writeFileSync(join(root, "password"), PASSWORD);
  if (account) for (const path of [root, join(root, "password")]) chownSync(path, account.uid, account.gid);
  await initialise(programs, root, account);

  const port = await freePort();
  const settings = { listen_addresses: "127.0.0.1", port, unix_socket_directories: "", fsync: "off" };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(join(folder, "log"), "a");
  const server = supervise([join(programs, "postgres"), "-D", join(root, "data"), ...options], account, log);
  closeSync(log);

  const end = performance.now() + START_LIMIT_MS;
  while (!isReady(join(root, "data"))) {
    if (server.exitCode !== null || performance.now() > end) throw new Error(readFileSync(join(folder, "log"), "utf8"));
    await delay(10);
  }
  return {
    url: `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres?sslmode=disable`,
    async close() {
      server.stdin?.end();
      if (server.exitCode === null) await once(server, "exit");
      await rm(folder, { recursive: true });
    },
  };
}

async function initialise(programs: string, root: string, account: SystemAccount | undefined): Promise<void> {
  const authentication = ["--username=postgres", "--auth=scram-sha-256", `--pwfile=${join(root, "password")}`];
  const data = [`--pgdata=${join(root, "data")}`, "--encoding=UTF8", "--locale=C", "--no-sync"];
  await promisify(execFile)(join(programs, "initdb"), [...data, ...authentication], { ...account, cwd: "/" });
}

function isReady(data: string): boolean {
  const file = join(data, "postmaster.pid");
  return existsSync(file) && readFileSync(file, "utf8").split("\n")[7]?.trim() === "ready";
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
