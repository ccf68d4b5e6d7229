import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type SystemAccount, systemAccountFor } from "./account.ts";
import { findPrograms, type Programs, program } from "./programs.ts";

/** Where everything is and who runs it. All paths are absolute. */
export type Placement = {
  account: SystemAccount | undefined;
  /** Holds bin, lib and share. */
  programs: string;
  version: string;
  /** Holds data, log and, where its path is short enough, the socket. */
  root: string;
  data: string;
  /** The folder of the unix socket; none but its owner can enter it. */
  socket: string;
  /** Whether the data is not in the folder asked for, and whether the programs are not where npm put them. */
  moved: { data: boolean; programs: boolean };
};

/** Where root keeps what another user must be able to reach. */
const SHARED = "/var/lib/caigun";
/** A unix socket's path has 107 bytes at most (sun_path holds 108 with its NUL); PostgreSQL adds "/.s.PGSQL.5432". */
const LONGEST_SOCKET_FOLDER_BYTES = 107 - "/.s.PGSQL.5432".length;

/**
 * Decides where the database lives, and makes the folders. As a normal user that is the folder given. As root
 * PostgreSQL runs as another user, who may be unable to reach that folder or node_modules (a project below a home of
 * mode 0700): then data or programs are kept below /var/lib/caigun.
 */
export function place(folder: string, runtimeFolder: string | undefined): Placement {
  const wanted = resolve(folder);
  const name = createHash("sha256").update(wanted).digest("hex").slice(0, 16);
  const account = systemAccountFor(wanted);
  const found = findPrograms();
  if (!account) {
    const root = makePrivate(wanted, undefined);
    const socket = socketFolder(root, name, runtimeFolder, undefined);
    const moved = { data: false, programs: false };
    return { account, programs: found.folder, version: found.version, root, data: join(root, "data"), socket, moved };
  }
  mkdirSync(dirname(wanted), { recursive: true, mode: 0o711 });
  const reachable = canEnter(dirname(wanted), account);
  const elsewhere = join(SHARED, name);
  const owner = reachable ? account : (systemAccountFor(elsewhere) ?? account);
  if (!reachable) makeShared();
  const root = makePrivate(reachable ? wanted : elsewhere, owner);
  const runnable = canRun(found, owner);
  const programs = runnable ? found.folder : copyPrograms(found);
  const socket = socketFolder(root, name, runtimeFolder, owner);
  const moved = { data: !reachable, programs: !runnable };
  return { account: owner, programs, version: found.version, root, data: join(root, "data"), socket, moved };
}

/** Whether the account may pass through every folder from the root of the file system down to this one. */
export function canEnter(folder: string, account: SystemAccount): boolean {
  const { uid, gid, mode } = statSync(folder);
  const search = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  if ((mode & search) === 0) return false;
  const parent = dirname(realpathSync(folder));
  return parent === folder || canEnter(parent, account);
}

/** Tried, not computed: files may be unreadable (a umask of 077) where folders can be entered. */
function canRun(programs: Programs, { uid, gid }: SystemAccount): boolean {
  const trial = spawnSync(program(programs.folder, "postgres"), ["--version"], { uid, gid, cwd: "/", env: {} });
  const shared = join(programs.folder, "share/postgresql/postgres.bki");
  return trial.status === 0 && spawnSync("test", ["-r", shared], { uid, gid, cwd: "/" }).status === 0;
}

/** Copies the programs to a place named by their version, atomically; what is there already was copied whole. */
function copyPrograms({ folder, version }: Programs): string {
  makeShared();
  const copy = join(SHARED, `postgresql-${version}-${process.platform}-${process.arch}`);
  if (existsSync(copy)) return copy;
  const partial = `${copy}.${randomBytes(6).toString("hex")}`;
  try {
    cpSync(folder, partial, { recursive: true, verbatimSymlinks: true });
    const opened = spawnSync("chmod", ["-R", "a+rX", partial]);
    if (opened.status !== 0) throw new Error(`chmod of ${partial} failed: ${opened.stderr}`);
    spawnSync("sync", ["-f", partial]); // A power cut must not leave half a program behind a whole name.
    renameSync(partial, copy);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(copy)) throw error; // Else another process was faster, with the same programs.
  }
  return copy;
}

function makeShared(): void {
  if (mkdirSync(SHARED, { recursive: true, mode: 0o755 })) chmodSync(SHARED, 0o755);
}

/** A folder of mode 0700 that belongs to the account, or to this process's user. */
function makePrivate(folder: string, account: SystemAccount | undefined): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account) chownSync(folder, account.uid, account.gid);
  return realpathSync(folder);
}

/**
 * A folder for the socket: beside the data where that path is short enough, else in the user's runtime folder or the
 * temporary one. There anybody may have made a folder of this name first, so it is used only if it is ours alone.
 */
function socketFolder(
  root: string,
  name: string,
  runtimeFolder: string | undefined,
  account: SystemAccount | undefined,
): string {
  const uid = account?.uid ?? process.getuid?.();
  const candidates = [join(root, "socket")];
  for (const short of [runtimeFolder, tmpdir(), "/tmp"]) {
    if (short && existsSync(short) && (!account || canEnter(short, account))) {
      candidates.push(join(realpathSync(short), `caigun-${uid ?? "user"}-${name}`));
    }
  }
  for (const folder of candidates) {
    if (Buffer.byteLength(folder) > LONGEST_SOCKET_FOLDER_BYTES) continue;
    try {
      mkdirSync(folder, { mode: 0o700 });
      if (account) chownSync(folder, account.uid, account.gid);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") continue;
    }
    const found = lstatSync(folder);
    if (found.isDirectory() && (uid === undefined || found.uid === uid) && (found.mode & 0o077) === 0) return folder;
  }
  throw new Error(
    `No folder for the database's socket: each of ${candidates.join(", ")} has too long a path or belongs to somebody else.`,
  );
}
