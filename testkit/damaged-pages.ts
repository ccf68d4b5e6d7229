import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { IndexUnusable, openIndex, probeIndex, type SourceDocument } from "@caigun/passages";

const PAGE_BYTES = 4096;

/** Fails unless each damaged page of an index's file, but the first, is noticed at opening or by the probe. */
export function assertDamageIsNoticed(index: string, documents: readonly SourceDocument[]): void {
  const bytes = readFileSync(index);
  const damaged = `${index}-damaged`;
  assert.ok(bytes.length > PAGE_BYTES);
  for (let page = 1; page * PAGE_BYTES < bytes.length; page++) {
    const [before, rest] = [bytes.subarray(0, page * PAGE_BYTES), bytes.subarray((page + 1) * PAGE_BYTES)];
    writeFileSync(damaged, Buffer.concat([before, Buffer.alloc(PAGE_BYTES, 0xa5), rest]));
    assert.ok(isNoticed(damaged, documents), `page ${page}`);
    rmSync(damaged);
  }
}

function isNoticed(path: string, documents: readonly SourceDocument[]): boolean {
  try {
    const index = openIndex(path);
    try {
      return !probeIndex(index, documents).ok;
    } finally {
      index.close();
    }
  } catch (error) {
    return error instanceof IndexUnusable;
  }
}
