import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { buildIndex, NothingToIndex, openIndex } from "@caigun/passages";
import { fitNamed, type LexicalSignals, lexicalSignals } from "@caigun/reading";
import fc from "fast-check";
import { arbitraryText } from "../../../../../testkit/arbitrary-text.ts";
import { openReader } from "./reader.ts";
import { writeIndex } from "./write-index.ts";

const folder = mkdtempSync(join(tmpdir(), "caigun-write-index-"));
after(() => rmSync(folder, { recursive: true }));
let written = 0;
const newPath = () => join(folder, String(written++));

const english = [
  "The office opens at nine in the morning. Parking costs three euros an hour.",
  "Bicycles are repaired within two days. Rented helmets must be returned clean.",
].join("\n\n");
const hungarian = "Az iroda reggel kilenc órakor nyit, és délután öt órakor zár minden hétköznap.";

function write(text: string) {
  const path = newPath();
  return { path, summary: writeIndex(path, [{ id: "text", title: "Text", text }]) };
}

async function thresholdIn(path: string): Promise<number> {
  const index = openIndex(path);
  try {
    return (await openReader().read(index, "When does the office open?", { encoders: [] })).threshold;
  } finally {
    index.close();
  }
}

test("the same documents give the same bytes, whose number is told", () => {
  const [one, other] = [write(english), write(english)];
  assert.ok(readFileSync(one.path).equals(readFileSync(other.path)));
  assert.equal(one.summary.bytes, readFileSync(one.path).length);
});

test("notes what it was asked about other things, and lowers the threshold of a text that shares few words with them", async () => {
  const { path } = write(english);
  const index = openIndex(path);
  const { foreignSignals } = index.search("anything", 1);
  index.close();
  assert.deepEqual(Object.keys(foreignSignals!).sort(), [...lexicalSignals].sort());
  const { confidence: weights, foreignLogOdds, thresholds } = fitNamed("shipped").lexical;
  const means = foreignSignals as unknown as LexicalSignals;
  const mean = lexicalSignals.reduce((sum, name) => sum + weights[name] * means[name], weights.bias);
  assert.ok(mean < foreignLogOdds);
  const odds = (probability: number) => probability / (1 - probability);
  const lowered = Math.log(odds(thresholds.normal)) - Math.log(odds(await thresholdIn(path)));
  assert.ok(Math.abs(lowered - Math.min(0.3, foreignLogOdds - mean)) < 1e-9, `${lowered}`);
});

test("a text that holds much of what it is asked about other things keeps its threshold", async () => {
  const encyclopaedia = `The harp has 47 strings. Mount Kilimanjaro is 5895 metres tall. The Mariana Trench is 11 km deep.
    The capital of Mongolia is Ulaanbaatar. Zebras have stripes. An octopus has three hearts. Saturn takes 29 years to orbit the sun.
    Moby-Dick is a novel that Melville wrote. Pandas mostly eat bamboo. Constantinople fell in the year 1453.`;
  assert.equal(await thresholdIn(write(encyclopaedia).path), fitNamed("shipped").lexical.thresholds.normal);
});

test("an index that was never asked, or has no questions in its language, keeps the threshold", async () => {
  const never = newPath();
  buildIndex(never, [{ id: "text", title: "Text", text: english }]);
  for (const path of [never, write(hungarian).path])
    assert.equal(await thresholdIn(path), fitNamed("shipped").lexical.thresholds.normal);
});

test("any text can be asked about other things", () => {
  fc.assert(
    fc.property(arbitraryText, (text) => {
      try {
        const index = openIndex(write(text).path);
        const { foreignSignals = {} } = index.search("anything", 1);
        index.close();
        for (const [name, mean] of Object.entries(foreignSignals)) assert.ok(Number.isFinite(mean), name);
      } catch (error) {
        if (!(error instanceof NothingToIndex)) throw error;
      }
    }),
    { numRuns: 50 },
  );
});
