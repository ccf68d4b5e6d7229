import { BaseRefused, type OpenedBase, openBase } from "@caigun/lora";
import type { BaseModel } from "../base-model.ts";

/**
 * Opens a base whose bytes are those that its digest names, where it has one: it was checked when it was fetched, and a
 * disk may have changed it since. It takes about a second for each 500 MB. Throws BaseRefused.
 */
export async function openCheckedBase({ files, digest }: Pick<BaseModel, "files" | "digest">): Promise<OpenedBase> {
  const base = await openBase(files);
  if (digest === undefined || base.digest === digest) return base;
  base.close();
  throw new BaseRefused(
    `${files.model} has the SHA-256 ${base.digest} instead of ${digest}: it is damaged. Remove it, and fetch it again.`,
  );
}
