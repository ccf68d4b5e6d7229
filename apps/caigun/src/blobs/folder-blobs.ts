import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { BlobDamaged, BlobMissing, type BlobStore, type StoredBlob, type SweepResult } from "./blob-store.ts";

/** What a sweep took from its place, until it is removed or put back; the name is its own, and holds the digest. */
const asideName = (digest: string) => `aside-${digest}-${randomUUID()}`;
const ASIDE = /^aside-([0-9a-f]{64})-/;

/**
 * Blobs as files: `<folder>/<first two hex digits>/<digest>`. A blob is written beside its place, synced, renamed, and
 * the folder synced, so that a row committed afterwards never refers to bytes that a power cut could take back.
 */
export async function openFolderBlobs(folder: string): Promise<BlobStore> {
  // Below a home that others may pass through (see home), texts are for this user alone.
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
  await syncEntries(folder, firstMade);
  const incoming = join(folder, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  /** Shelves whose own entry in the folder is known to be on the disk. */
  const syncedShelves = new Set<string>();

  const shelf = (digest: string) => join(folder, digest.slice(0, 2));
  const place = (digest: string) => join(shelf(digest), digest);

  async function settle(path: string, stored: StoredBlob): Promise<StoredBlob> {
    const target = place(stored.digest);
    if (!syncedShelves.has(shelf(stored.digest))) {
      // Whoever made it may not have synced it yet.
      await mkdir(shelf(stored.digest), { recursive: true, mode: 0o700 });
      await syncFolder(folder);
      syncedShelves.add(shelf(stored.digest));
    }
    // The sweep spares what is young: content that is put again while nothing refers to it yet becomes young again.
    const now = new Date();
    await utimes(path, now, now);
    await rename(path, target);
    await syncFolder(shelf(stored.digest));
    return stored;
  }

  return {
    async put(pieces) {
      const path = join(incoming, randomUUID());
      const hash = createHash("sha256");
      let bytes = 0;
      const handle = await open(path, "wx", 0o600);
      try {
        for (const piece of pieces) {
          hash.update(piece);
          bytes += piece.byteLength;
          await handle.writeFile(piece);
        }
        await handle.sync();
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      } finally {
        await handle.close();
      }
      return settle(path, { digest: hash.digest("hex"), bytes });
    },

    async putFile(path, beforePlaced) {
      const digest = await digestOf(path);
      const handle = await open(path, "r+");
      const { size } = await syncAndClose(handle);
      await beforePlaced?.({ digest, bytes: size });
      return settle(path, { digest, bytes: size });
    },

    async read(digest) {
      const bytes = await readFile(place(digest)).catch(missing(digest));
      if (createHash("sha256").update(bytes).digest("hex") !== digest) throw new BlobDamaged(digest);
      return bytes;
    },

    async checkedFile(digest) {
      const path = place(digest);
      if ((await digestOf(path).catch(missing(digest))) !== digest) throw new BlobDamaged(digest);
      return path;
    },

    async file(digest) {
      const path = place(digest);
      await access(path).catch(missing(digest));
      return path;
    },

    async sweep(referenced, graceMs) {
      const result: SweepResult = { removed: 0, bytes: 0 };
      // A file can be a fraction of a millisecond younger than the clock says.
      const youngest = Date.now() + 1 - graceMs;
      const remove = async (path: string, bytes: number) => {
        if (!(await isDone(rm(path)))) return; // Another sweep was faster, or put it back.
        result.removed += 1;
        result.bytes += bytes;
      };
      // Another sweep on this folder may do the same at the same time: what it was faster with is done.
      const removeAside = async (aside: string, digest: string, isReferenced: boolean) => {
        const found = await look(aside, youngest);
        if (found === "gone") return;
        if (found !== "young" && !isReferenced) await remove(aside, found.bytes);
        else await isDone(settle(aside, { digest, bytes: 0 }));
      };

      const incomers = await readdir(incoming);
      const shelves = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
      const placed = (await Promise.all(shelves.map((name) => readdir(join(folder, name))))).flat();
      const known = await referenced();
      for (const name of incomers) {
        const path = join(incoming, name);
        // A sweep that was killed left it here: it may have been put again meanwhile, and be referred to.
        const digest = ASIDE.exec(name)?.[1];
        if (digest) {
          await removeAside(path, digest, known.has(digest));
          continue;
        }
        // What stands here this long was never finished: its writer died before the rename, and told nobody.
        const found = await look(path, youngest);
        if (typeof found === "object") await remove(path, found.bytes);
      }
      for (const digest of placed) {
        if (known.has(digest) || typeof (await look(place(digest), youngest)) === "string") continue;
        // Taken aside and looked at again: the same content may have been put again between the look and the removal.
        const aside = join(incoming, asideName(digest));
        if (await isDone(rename(place(digest), aside))) await removeAside(aside, digest, false);
      }
      return result;
    },
  };
}

async function syncAndClose(handle: FileHandle): Promise<{ size: number }> {
  try {
    await handle.sync();
    return await handle.stat();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  await syncAndClose(await open(path, "r"));
}

/** Syncs the folder's entry in its parent, and those of the parents that were made with it. */
async function syncEntries(folder: string, firstMade = folder): Promise<void> {
  for (let made = resolve(folder); ; made = dirname(made)) {
    await syncFolder(dirname(made)).catch((error: NodeJS.ErrnoException) => {
      // Who may not look into a folder did not make anything in it just now.
      if (error.code !== "EACCES") throw error;
    });
    if (made === resolve(firstMade) || made === dirname(made)) return;
  }
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Whether the file is gone, is younger than `youngest` (ms since 1970), or else how large it is. */
async function look(path: string, youngest: number): Promise<"gone" | "young" | { bytes: number }> {
  try {
    const { mtimeMs, size } = await stat(path);
    return mtimeMs <= youngest ? { bytes: size } : "young";
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "gone";
    throw error;
  }
}

/** False where the file that the step needs is gone. */
async function isDone(step: Promise<unknown>): Promise<boolean> {
  try {
    await step;
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

const missing = (digest: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === "ENOENT") throw new BlobMissing(digest);
  throw error;
};
