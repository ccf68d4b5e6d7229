import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { readPlainText } from "./plain-text.ts";

async function fileOf(t: TestContext, content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "caigun-plain-text-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "file");
  await writeFile(path, content);
  return path;
}

it("refuses documents, archives and pictures by how they begin, also where their bytes are UTF-8", async (t) => {
  for (const [content, kind] of [
    ["%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n", "a PDF file"],
    ["\ufeff%PDF-1.4\n", "a PDF file"],
    ["PK\x03\x04\x14\0\0\0word/document.xml", "a zip archive"],
    ["{\\rtf1\\ansi The office opens at nine.}", "an RTF document"],
    ["GIF89a....", "a picture"],
    [Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), "a picture"],
    [Buffer.from([0xff, 0xd8, 0xff, 0xe0]), "a picture"],
    [Buffer.from("d0cf11e0a1b11ae1", "hex"), "an older Office document"],
  ] as const) {
    const path = await fileOf(t, content);
    await assert.rejects(readPlainText(path), ({ message, exitCode }: Error & { exitCode: number }) => {
      assert(message.startsWith(`${path} is ${kind}`), message);
      assert.match(message, /as plain text in UTF-8/);
      return exitCode === 2;
    });
  }
});

it("reads text, whatever it is about", async (t) => {
  for (const text of [
    "",
    "辦公室九點開門。",
    "<!DOCTYPE html><p>Nine.</p>",
    "A file that begins with %PDF- is a PDF.",
    "PK",
  ])
    assert.equal(await readPlainText(await fileOf(t, text)), text);
});

it("refuses other encodings", async (t) => {
  const path = await fileOf(t, Buffer.from("Caf\xe9", "latin1"));
  await assert.rejects(readPlainText(path), /is not text in UTF-8/);
});
