import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fetchWeights, findWeights, type WeightsFiles, type WeightsName } from "@caigun/weights";

/** Where tests keep model files: fetched once, and kept as long as node_modules are. */
const cache = fileURLToPath(new URL("../node_modules/.cache/caigun-weights", import.meta.url));

export type WeightsForTests = { folder: string; files: WeightsFiles } | { missing: string };

/**
 * A model's files for tests, which share one copy. `missing` is why a test that needs them is skipped; with
 * CAIGUN_TEST_COMPLETE=1 this throws instead. `folder` is what CAIGUN_WEIGHTS takes.
 */
export async function weightsForTests(name: WeightsName = "all-minilm-l6-v2-int8"): Promise<WeightsForTests> {
  const present = findWeights(cache, name);
  if (present) return { folder: cache, files: present };
  // Several test files begin at once: each fetches for itself, and the first one's folder stays.
  const own = join(cache, `.fetching-${randomUUID()}`);
  try {
    await mkdir(own, { recursive: true });
    await fetchWeights(own, name);
    await rename(join(own, name), join(cache, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
    return { folder: cache, files: findWeights(cache, name)! };
  } catch (error) {
    if (process.env.CAIGUN_TEST_COMPLETE === "1") throw error;
    return { missing: (error as Error).message };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}
