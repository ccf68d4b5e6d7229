import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** Begins the name of a folder that stands only while something is fetched into it. */
export const UNFINISHED_PREFIX = ".fetching-";
/** Ends the name of a part of one process; its stem is the file's own name and a UUID. */
const OWN_PART = /\.[0-9a-f-]{36}\.part$/;
const LEFT_BEHIND_MS = 24 * 3_600_000;

/**
 * Downloads into a part that no other process writes, beside `path`. What an earlier download left is taken over, and
 * where this one fails, what it has is left for the next: each by a rename, which one process alone succeeds with.
 */
export async function withOwnPart(path: string, download: (part: string) => Promise<void>): Promise<void> {
  const left = `${path}.part`;
  const part = `${path}.${randomUUID()}.part`;
  await renameIfThere(left, part);
  try {
    await download(part);
  } catch (error) {
    await renameIfThere(part, left);
    throw error;
  }
}

/** Removes what processes that were killed left more than a day ago. */
export async function sweepUnfinished(folder: string, name: string): Promise<void> {
  const temporary = (await readdir(folder)).filter((entry) => entry.startsWith(UNFINISHED_PREFIX));
  const parts = (await readdir(join(folder, name))).filter((entry) => OWN_PART.test(entry));
  for (const path of [
    ...temporary.map((entry) => join(folder, entry)),
    ...parts.map((part) => join(folder, name, part)),
  ]) {
    const found = await stat(path).catch(() => undefined); // another process may have been faster
    if (found && Date.now() - found.mtimeMs > LEFT_BEHIND_MS) await rm(path, { recursive: true, force: true });
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
