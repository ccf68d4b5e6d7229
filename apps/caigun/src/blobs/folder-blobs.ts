import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { BlobDamaged, BlobMissing, type BlobStore, type StoredBlob, type SweepResult } from "./blob-store.ts";

/**
 * Blobs as files: `<folder>/<first two hex digits>/<digest>`. A blob is written beside its place, synced, renamed, and
 * the folder synced, so that a row committed afterwards never refers to bytes that a power cut could take back.
 */
export async function openFolderBlobs(folder: string): Promise<BlobStore> {
  // Below a home that others may pass through (see home), texts are for this user alone.
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const incoming = join(folder, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });

  const shelf = (digest: string) => join(folder, digest.slice(0, 2));
  const place = (digest: string) => join(shelf(digest), digest);

  async function settle(path: string, stored: StoredBlob): Promise<StoredBlob> {
    const target = place(stored.digest);
    if (await mkdir(shelf(stored.digest), { recursive: true, mode: 0o700 })) await syncFolder(folder);
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
      const remove = async (path: string) => {
        if ((await sizeIfOlder(path, youngest)) === undefined) return;
        // Taken aside and looked at again: the same content may have been put again between the look and the removal.
        const aside = join(incoming, randomUUID());
        await rename(path, aside);
        const size = await sizeIfOlder(aside, youngest);
        if (size === undefined) {
          await rename(aside, path);
          return;
        }
        await rm(aside);
        result.removed += 1;
        result.bytes += size;
      };
      // What stands here this long was never finished: its writer died before the rename, and told nobody.
      for (const name of await readdir(incoming)) await remove(join(incoming, name));
      const shelves = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
      const found = (await Promise.all(shelves.map((name) => readdir(join(folder, name))))).flat();
      const known = await referenced();
      for (const digest of found) if (!known.has(digest)) await remove(place(digest));
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

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** The file's size in bytes, or undefined when it is younger than `youngest` (ms since 1970) or gone. */
async function sizeIfOlder(path: string, youngest: number): Promise<number | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  return found && found.mtimeMs <= youngest ? found.size : undefined;
}

const missing = (digest: string) => (error: NodeJS.ErrnoException) => {
  if (error.code === "ENOENT") throw new BlobMissing(digest);
  throw error;
};
