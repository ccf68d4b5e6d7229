import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const project = fileURLToPath(new URL("../..", import.meta.url));
const run = promisify(execFile);

export type ProductCopy = { command: string[]; remove(): Promise<void> };

/** A copy of the product's code, with the bug of a patch in seeded-bugs where one is named. Throws where it does not apply. */
export async function copyProduct(bug?: string): Promise<ProductCopy> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-copy-"));
  const { stdout } = await run("git", ["ls-files", "-z", "apps", "packages", "package.json"], { cwd: project });
  for (const path of stdout.split("\0").filter(Boolean)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await cp(join(project, path), join(folder, path));
  }
  const modules = join(folder, "node_modules");
  await mkdir(join(modules, "@caigun"), { recursive: true });
  for (const name of await readdir(join(project, "node_modules"))) {
    if (name !== "@caigun") await symlink(join(project, "node_modules", name), join(modules, name));
  }
  for (const name of await readdir(join(folder, "packages")))
    await symlink(join(folder, "packages", name), join(modules, "@caigun", name));
  if (bug) {
    const patch = fileURLToPath(new URL(`./seeded-bugs/${bug}.patch`, import.meta.url));
    await run("git", ["apply", "--unidiff-zero", patch], { cwd: folder });
  }
  return {
    command: [process.execPath, join(folder, "apps/caigun/bin/caigun.mjs")],
    remove: () => rm(folder, { recursive: true }),
  };
}
