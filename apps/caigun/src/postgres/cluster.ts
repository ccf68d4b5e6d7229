import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Placement } from "./placement.ts";
import { program } from "./programs.ts";

export const DATABASE_USER = "caigun";

/** What PostgreSQL's programs are started with: nothing of the person's environment may change what they do. */
export const ENVIRONMENT = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

const UNFINISHED = "data.new-";

/** Makes the data folder unless it is there: whole and synced, or not at all. */
export async function ensureCluster({ account, programs, version, root, data }: Placement, password: string) {
  for (const name of readdirSync(root)) {
    if (name.startsWith(UNFINISHED)) rmSync(join(root, name), { recursive: true, force: true });
  }
  if (existsSync(data)) return requireVersion(data, version);
  const unfinished = join(root, UNFINISHED + randomBytes(4).toString("hex"));
  const passwordFile = `${unfinished}.password`;
  try {
    writeFileSync(passwordFile, password, { mode: 0o600, flag: "wx" });
    if (account) chownSync(passwordFile, account.uid, account.gid);
    const authentication = ["--auth-local=scram-sha-256", "--auth-host=reject", `--pwfile=${passwordFile}`];
    // The builtin provider sorts by code point on every machine alike, whatever locales it has.
    const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"];
    await promisify(execFile)(
      program(programs, "initdb"),
      [`--pgdata=${unfinished}`, `--username=${DATABASE_USER}`, ...authentication, ...locale],
      { ...account, cwd: "/", env: ENVIRONMENT },
    );
    renameSync(unfinished, data);
    // Else a power cut could take the name back, and the next start would remove what it finds under the other one.
    syncFolder(root);
    syncFolder(dirname(root));
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    const said = (error as { stderr?: string }).stderr;
    if (!said) throw error;
    // Containers can run as a number that names no user, and PostgreSQL's initdb insists on a name.
    const hint = said.includes("user does not exist") ? " Add that user to /etc/passwd, or set DATABASE_URL." : "";
    throw new Error(`PostgreSQL could not make its data. ${said.trim()}${hint}`, { cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** A folder that its user may enter but not read can't be opened, and so not be synced by that user. */
function syncFolder(path: string): void {
  let folder: number;
  try {
    folder = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return;
    throw error;
  }
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function requireVersion(data: string, version: string): void {
  const made = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  const major = version.split(".")[0];
  if (made !== major) {
    throw new Error(
      `The database in ${data} is of PostgreSQL ${made}, and this CaiGun has ${major}. Start it with the CaiGun that made it, and move the data with pg_dump.`,
    );
  }
}
