import { randomBytes } from "node:crypto";
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeSyncedFolder, writePrivateFile } from "./atomic-file.ts";
import { isLocked, takeLock } from "./lock.ts";

/**
 * Where a running server, and its database, can be reached; pid is its process. `writers` may word its replies; `weights`
 * are its settings of the models that it trains and searches with. Private: the URL holds a password.
 */
export type Announcement = {
  url: string;
  pid: number;
  databaseUrl: string;
  writers: AnnouncedWriter[];
  weights: {
    gpt2Base: { name: string } | { path: string } | null;
    embedder: string;
    weightsFolder: string;
    strictEngines: boolean;
  };
};

/** A writer as people are told of it: nothing of it is secret. `path` is its file's, where it is one. */
export type AnnouncedWriter = { name: string; shown: string; isLocal: boolean; path?: string };

export type Home = {
  /** Absolute. */
  folder: string;
  /** The secret of that name: 32 random bytes, made and kept (mode 0600) when first asked for. */
  secret(name: string): Promise<Buffer>;
  /** Tells the command line where the server is, until close. */
  announce(announcement: Announcement): Promise<void>;
  close(): Promise<void>;
};

/** Another process holds the home. */
export class HomeBusy extends Error {
  readonly folder: string;
  /** Undefined in the moment before the holder has written it down. */
  readonly pid: number | undefined;

  constructor(folder: string, pid: number | undefined) {
    const holder = pid === undefined ? "Another CaiGun" : `Another CaiGun (process ${pid})`;
    super(`${holder} is using ${folder}. Stop it first, or give this one a folder of its own with CAIGUN_HOME.`);
    this.name = "HomeBusy";
    this.folder = folder;
    this.pid = pid;
  }
}

const SECRET_BYTES = 32;
const SECRET_NAME = /^[a-z][a-z0-9-]*$/;
const LOCK = "lock.sqlite";
const HOLDER = "holder.json";
const SERVER = "server.json";
const SECRETS = "secrets";

/**
 * Opens CAIGUN_HOME, making it where it is missing, and holds it until close or until this process dies.
 * Throws HomeBusy where another process holds it.
 */
export async function openHome(path: string): Promise<Home> {
  const folder = resolve(path);
  // As root, others may pass through but not look around: PostgreSQL, which refuses to run as root, keeps its data
  // below and runs as a user of its own.
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  if (await makeSyncedFolder(folder, mode)) await chmod(folder, mode);
  const lock = takeLock(join(folder, LOCK));
  if (!lock) throw new HomeBusy(folder, await readHolder(folder));
  try {
    await chmod(join(folder, LOCK), 0o600);
    await rm(join(folder, SERVER), { force: true });
    await writePrivateFile(join(folder, HOLDER), JSON.stringify({ pid: process.pid }));
    await makeSyncedFolder(join(folder, SECRETS), 0o700);
    await removeLeftovers(folder);
    await removeLeftovers(join(folder, SECRETS));
  } catch (error) {
    lock.release();
    throw error;
  }
  return {
    folder,
    secret: (name) => secret(join(folder, SECRETS), name),
    announce: (announcement) => writePrivateFile(join(folder, SERVER), JSON.stringify(announcement)),
    async close() {
      await rm(join(folder, SERVER), { force: true });
      await rm(join(folder, HOLDER), { force: true });
      lock.release();
    },
  };
}

/** Where the server that holds this home can be reached; undefined where none runs or it is not ready yet. */
export async function readAnnouncement(path: string): Promise<Announcement | undefined> {
  const folder = resolve(path);
  if (!isLocked(join(folder, LOCK))) return undefined;
  return readJson<Announcement>(join(folder, SERVER));
}

/** A secret of the home that another process holds; undefined where it has not been made. */
export function readSecret(path: string, name: string): Promise<Buffer | undefined> {
  return madeSecret(join(resolve(path), SECRETS), name);
}

async function secret(folder: string, name: string): Promise<Buffer> {
  const made = await madeSecret(folder, name);
  if (made) return made;
  const bytes = randomBytes(SECRET_BYTES);
  await writePrivateFile(join(folder, name), `${bytes.toString("base64url")}\n`);
  return bytes;
}

async function madeSecret(folder: string, name: string): Promise<Buffer | undefined> {
  if (!SECRET_NAME.test(name)) throw new Error(`"${name}" is no name for a secret.`);
  const path = join(folder, name);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return undefined;
  }
  await chmod(path, 0o600); // A copy or a backup may have widened it.
  const bytes = Buffer.from(text.trim(), "base64url");
  if (bytes.length !== SECRET_BYTES || bytes.toString("base64url") !== text.trim()) {
    throw new Error(`${path} is damaged: restore it from a backup. What it protects can't be read with another one.`);
  }
  return bytes;
}

/** Files that a killed process had not yet renamed to their names. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/\.\d+\.[0-9a-f]{8}$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

async function readHolder(folder: string): Promise<number | undefined> {
  return (await readJson<{ pid: number }>(join(folder, HOLDER)))?.pid;
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
