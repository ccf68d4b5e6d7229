import assert from "node:assert/strict";
import { test } from "node:test";
import { type FittedOn, fitNamed, fitNames } from "@caigun/reading";
import { chooseFits, type Fit, NoFit, namesOf } from "./fits.ts";

const fit = (name: string, ...fittedOn: Partial<FittedOn>[]): Fit => ({
  name,
  fittedOn: fittedOn.map((data) => ({ name: "", sha256: "", ...data })),
});
const shipped = fit("shipped", { sha256: "a" });
const other = fit("other", { sha256: "b" });
const fold = (remainder: number) => fit(`fold-${remainder}`, { sha256: "a", heldOut: { every: 2, remainder } });

test("the shipped weights answer unless they saw the file", () => {
  assert.equal(namesOf(chooseFits("b", [shipped, other])), "shipped");
  assert.equal(namesOf(chooseFits("a", [shipped, other])), "other");
});

test("folds are asked about the articles that they did not see", () => {
  const runs = chooseFits("a", [shipped, fold(0), fold(1)]);
  assert.equal(namesOf(runs), "fold-0, fold-1");
  for (const article of [0, 1, 2, 3])
    assert.deepEqual(
      runs.filter(({ asks }) => asks(article)).map(({ fit }) => fit.name),
      [`fold-${article % 2}`],
    );
});

test("a file that all weights saw is not evaluated", () => {
  assert.throws(() => chooseFits("a", [shipped]), NoFit);
  assert.throws(() => chooseFits("a", [shipped, fold(1)]), NoFit);
});

test("each fit says by digest what it saw", () => {
  assert.equal(fitNames[0], "shipped");
  for (const { fittedOn } of fitNames.map(fitNamed)) {
    assert.ok(fittedOn.length > 0);
    for (const { sha256 } of fittedOn) assert.match(sha256, /^[0-9a-f]{64}$/);
  }
});
