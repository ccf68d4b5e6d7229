import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { writeStoredZip } from "./stored-zip.ts";

const run = promisify(execFile);

/** What can open a zip archive here, by the program; each tests the archive and unpacks it into a folder. */
const openers: Record<string, (archive: string, into: string) => Promise<unknown>> = {
  unzip: async (archive, into) => {
    await run("unzip", ["-tq", archive]);
    await run("unzip", ["-q", archive, "-d", into]);
  },
  python3: (archive, into) =>
    run("python3", [
      "-c",
      "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])",
      archive,
      into,
    ]),
  bsdtar: (archive, into) => run("bsdtar", ["-xf", archive, "-C", into]),
};

async function isHere(program: string): Promise<boolean> {
  return run(program, ["--help"]).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-zip-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("gives back every file to the byte, by whatever opens it", async (t) => {
  const folder = await temporaryFolder(t);
  const contents: Record<string, Buffer> = {
    "adapter_model.safetensors": randomBytes(3_000_001),
    "adapter_config.json": Buffer.from("{}\n"),
    "README.md": Buffer.alloc(0),
  };
  for (const [name, bytes] of Object.entries(contents)) await writeFile(join(folder, name), bytes);
  const entries = Object.keys(contents).map((name) => ({ name, path: join(folder, name) }));
  const [archive, again] = [join(folder, "first.zip"), join(folder, "second.zip")];
  await writeStoredZip(archive, entries);
  await writeStoredZip(again, entries);
  assert.deepEqual(await readFile(archive), await readFile(again), "nothing of the hour is in it");

  let tried = 0;
  for (const [program, unpack] of Object.entries(openers)) {
    if (!(await isHere(program))) continue;
    tried++;
    const into = join(folder, program);
    await mkdir(into);
    await unpack(archive, into);
    assert.deepEqual((await readdir(into)).sort(), Object.keys(contents).sort(), program);
    for (const [name, bytes] of Object.entries(contents))
      assert((await readFile(join(into, name))).equals(bytes), `${program}: ${name}`);
  }
  t.diagnostic(`${tried} programs opened it`);
  if (tried === 0) t.skip("neither unzip nor python3 nor bsdtar is here");
});

it("overwrites nothing, and says which file is missing", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "a.zip");
  await writeFile(path, "mine");
  await assert.rejects(writeStoredZip(path, []), { code: "EEXIST" });
  assert.equal(await readFile(path, "utf8"), "mine");
  await assert.rejects(writeStoredZip(join(folder, "b.zip"), [{ name: "x", path: join(folder, "x") }]), /ENOENT.*x'/);
});
