import { chmod, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder that others may pass through: as root, PostgreSQL runs as another user. */
export async function newClusterFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-db-"));
  await chmod(folder, 0o711);
  return folder;
}
