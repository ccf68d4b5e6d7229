import { randomBytes } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Writes a file that only its owner can read (mode 0600), so that whoever reads it sees the old contents or all of the
 * new ones, and so that the new ones survive a power cut once this returns.
 */
export async function writePrivateFile(path: string, contents: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the folder where it is missing, with an entry in its parent that survives a power cut; true: it was made. */
export async function makeSyncedFolder(path: string, mode: number): Promise<boolean> {
  const firstMade = await mkdir(path, { recursive: true, mode });
  for (let made = path; made !== dirname(made); made = dirname(made)) {
    await syncFolder(dirname(made)).catch((error: NodeJS.ErrnoException) => {
      // Who may not look into a folder did not make anything in it just now.
      if (error.code !== "EACCES") throw error;
    });
    if (made === (firstMade ?? path)) break;
  }
  return firstMade !== undefined;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
