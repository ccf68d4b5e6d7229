import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { Variant } from "./manifest.ts";

/** SHA-256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Gives a finished download its name, once its bytes are the right ones and on the disk. Else it is removed, and this throws. */
export async function keepChecked(
  part: string,
  path: string,
  { sha256, bytes }: Pick<Variant, "sha256" | "bytes">,
): Promise<void> {
  const size = (await stat(part)).size;
  const digest = size === bytes ? await sha256OfFile(part) : undefined;
  if (digest !== sha256) {
    await rm(part, { force: true });
    throw new Error(
      digest === undefined
        ? `The file has ${size} bytes instead of ${bytes}.`
        : `The file's SHA-256 is ${digest} instead of ${sha256}.`,
    );
  }
  await sync(part);
  await rename(part, path);
  await sync(dirname(path));
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
