import assert from "node:assert/strict";
import { mkdtemp, readdir, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { BlobDamaged, BlobMissing, type BlobStore } from "./blob-store.ts";
import { openFolderBlobs } from "./folder-blobs.ts";

describe("blobs in a folder", () => {
  let folder: string;
  let blobs: BlobStore;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "caigun-blobs-"));
    blobs = await openFolderBlobs(folder);
  });
  after(() => rm(folder, { recursive: true }));

  it("returns what was put, by its SHA-256", async () => {
    const { digest, bytes } = await blobs.put([Buffer.from("abc")]);
    // SHA-256 of "abc", FIPS 180-2 appendix B.1
    assert.equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(bytes, 3);
    assert.equal((await blobs.read(digest)).toString(), "abc");
  });

  it("joins pieces in their order", async () => {
    const { digest, bytes } = await blobs.put([Buffer.from("a"), Buffer.from(""), Buffer.from("bc")]);
    assert.equal(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(bytes, 3);
  });

  it("takes a file over and stores equal content once", async () => {
    const path = join(folder, "made-elsewhere");
    await writeFile(path, "the same");
    const first = await blobs.putFile(path);
    const second = await blobs.put([Buffer.from("the same")]);
    assert.deepEqual(first, second);
    assert.deepEqual(await readdir(join(folder, first.digest.slice(0, 2))), [first.digest]);
    assert.deepEqual(await readdir(join(folder, "incoming")), []);
  });

  it("says what is missing and what has changed", async () => {
    await assert.rejects(blobs.read("0".repeat(64)), BlobMissing);
    await assert.rejects(blobs.file("0".repeat(64)), BlobMissing);
    const { digest } = await blobs.put([Buffer.from("to be damaged")]);
    await truncate(await blobs.file(digest), 3);
    await assert.rejects(blobs.read(digest), BlobDamaged);
    await assert.rejects(blobs.checkedFile(digest), BlobDamaged);
  });

  it("sweeps what is old and unreferenced, and nothing else", async () => {
    const long = new Date(Date.now() - 3_600_000);
    const [kept, old, young] = await Promise.all(
      ["kept", "old", "young"].map(async (text) => (await blobs.put([Buffer.from(text)])).digest),
    );
    for (const digest of [kept!, old!]) await utimes(await blobs.file(digest), long, long);
    await blobs.sweep(async () => new Set([kept!]), 60_000);
    await blobs.file(kept!);
    await blobs.file(young!);
    await assert.rejects(blobs.file(old!), BlobMissing);
  });

  it("makes content that is put again young again", async () => {
    const { digest } = await blobs.put([Buffer.from("put twice")]);
    const long = new Date(Date.now() - 3_600_000);
    await utimes(await blobs.file(digest), long, long);
    await blobs.put([Buffer.from("put twice")]);
    await blobs.sweep(async () => new Set(), 60_000);
    await blobs.file(digest);
  });

  it("sweeps what was never finished", async () => {
    await writeFile(join(folder, "incoming", "half"), "ha");
    await blobs.sweep(async () => new Set(), 0);
    assert.deepEqual(await readdir(join(folder, "incoming")), []);
  });

  it("puts back what a sweep that was killed had taken aside, where it is referred to or young", async () => {
    const long = new Date(Date.now() - 3_600_000);
    const [referred, young, old] = await Promise.all(
      ["aside, referred to", "aside, young", "aside, old"].map(
        async (text) => (await blobs.put([Buffer.from(text)])).digest,
      ),
    );
    for (const digest of [referred!, young!, old!]) {
      const aside = join(folder, "incoming", `aside-${digest}-1`);
      await rename(await blobs.file(digest), aside);
      if (digest !== young) await utimes(aside, long, long);
    }
    await blobs.sweep(async () => new Set([referred!]), 60_000);
    assert.equal((await blobs.read(referred!)).toString(), "aside, referred to");
    assert.equal((await blobs.read(young!)).toString(), "aside, young");
    await assert.rejects(blobs.file(old!), BlobMissing);
    assert.deepEqual(await readdir(join(folder, "incoming")), []);
  });

  it("sweeps beside another sweep, each blob once", async () => {
    const both = await mkdtemp(join(tmpdir(), "caigun-blobs-"));
    try {
      const sweepers = await Promise.all([1, 2, 3].map(() => openFolderBlobs(both)));
      const texts = Array.from({ length: 300 }, (_, at) => `text ${at}`);
      await Promise.all(texts.map((text) => sweepers[0]!.put([Buffer.from(text)])));
      const swept = await Promise.all(sweepers.map((sweeper) => sweeper.sweep(async () => new Set(), 0)));
      assert.equal(
        swept.reduce((sum, { removed }) => sum + removed, 0),
        texts.length,
      );
      assert.deepEqual(await readdir(join(both, "incoming")), []);
    } finally {
      await rm(both, { recursive: true });
    }
  });

  it("spares, however young, what was written down while the sweep looked", async () => {
    const written = new Set<string>();
    const { digest } = await blobs.put([Buffer.from("an index that a worker has just stored")]);
    await blobs.sweep(async () => written.add(digest), 0);
    assert.equal((await blobs.read(digest)).toString(), "an index that a worker has just stored");
  });
});
