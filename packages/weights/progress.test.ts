import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProgressOfAll } from "./progress.ts";

const size = fc.integer({ min: 1, max: 1e9 });
/** Of each file: its variants' sizes, and how far each source comes before it fails. */
const fetched = fc.array(
  fc.record({
    variants: fc.array(size, { minLength: 1, maxLength: 2 }),
    reached: fc.array(fc.double({ min: 0, max: 1, noNaN: true })),
  }),
  { minLength: 1, maxLength: 5 },
);

test("the share that has come never falls and ends at 1, whatever sources fail and begin anew", () => {
  fc.assert(
    fc.property(fetched, (files) => {
      const told: number[] = [];
      const progress = new ProgressOfAll(
        files.map(({ variants }, at) => [`file ${at}`, variants.map((bytes) => ({ bytes }))] as const),
        ({ fraction }) => told.push(fraction),
      );
      for (const [at, { variants, reached }] of files.entries()) {
        for (const bytes of variants)
          for (const share of [0, ...reached, 1]) progress.tell(`file ${at}`, share * bytes, bytes);
        progress.end(`file ${at}`);
      }
      assert(told.every((fraction, at) => fraction <= 1 && fraction >= (told[at - 1] ?? 0)));
      assert(Math.abs(told.at(-1)! - 1) < 1e-9);
    }),
  );
});

test("each file counts for its size, and one that is there already too", () => {
  const told: number[] = [];
  const files = [
    ["config", [{ bytes: 10 }]],
    ["model", [{ bytes: 90 }]],
  ] as const;
  const progress = new ProgressOfAll(files, ({ fraction }) => told.push(fraction));
  progress.end("config");
  for (const bytes of [0, 45, 0, 90]) progress.tell("model", bytes, 90);
  assert.deepEqual(told, [0.1, 0.55, 0.55, 1]);
});
