import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { opened } from "../../../testkit/lora-training.ts";
import { Graph } from "../graph/graph.ts";
import { Random } from "../training/random.ts";

const [ROWS, COLUMNS, SITES, BATCHES] = [128, 96, 24, 3];
const NUMBERS = ROWS * COLUMNS;

describe("masks of dropout", () => {
  for (const rate of [0.05, 0.1, 0.3, 0.5])
    it(`leave out a share of ${rate} and make up for it`, async (t) => {
      for (const mask of (await masks(t, rate)).flat()) {
        const zeros = mask.filter((number) => number === 0).length;
        assert(mask.every((number) => number === 0 || number === Math.fround(1 / (1 - rate))));
        // Rows and columns share their noise: a mask varies more than as many coins.
        assert(Math.abs(zeros / NUMBERS - rate) < 0.2 * rate, `${zeros / NUMBERS} instead of ${rate}`);
      }
    });

  it("say nothing of each other: rows, columns, sites and batches", async (t) => {
    const rate = 0.1;
    const drawn = await masks(t, rate);
    const dropped = drawn.map((sites) =>
      sites.map((mask) => Float64Array.from(mask, (number) => Number(number === 0) - rate)),
    );
    const between = (what: string, pairs: [Float64Array, Float64Array][]) => {
      const furthest = Math.max(...pairs.map(([a, b]) => Math.abs(correlation(a, b, rate))));
      t.diagnostic(`${what}: the strongest correlation of ${pairs.length} is ${furthest.toFixed(3)}`);
      return furthest;
    };
    const first = dropped[0]![0]!;
    const row = (at: number) => first.subarray(at * COLUMNS, (at + 1) * COLUMNS);
    const column = (at: number) => Float64Array.from({ length: ROWS }, (_, of) => first[of * COLUMNS + at]!);
    // Single pairs of some 100 numbers correlate by chance; all together do not.
    const together = (pairs: [Float64Array, Float64Array][]) =>
      Math.abs(pairs.reduce((sum, [a, b]) => sum + correlation(a, b, rate), 0) / pairs.length);
    assert(together(allPairs(ROWS, row)) < 0.03);
    assert(together(allPairs(COLUMNS, column)) < 0.03);
    assert(
      between(
        "sites",
        dropped.flatMap((sites) => allPairs(SITES, (at) => sites[at]!)),
      ) < 0.06,
    );
    assert(
      between(
        "batches",
        allPairs(BATCHES, (at) => dropped[at]![0]!),
      ) < 0.06,
    );
    // A site's mask is not another's a few rows or columns further either.
    const moved = (mask: Float64Array, by: number) => Float64Array.from(mask, (_, at) => mask[(at + by) % NUMBERS]!);
    const shifts = [1, 2, COLUMNS, COLUMNS + 1].map((by): [Float64Array, Float64Array] => [first, moved(first, by)]);
    assert(between("neighbours", shifts) < 0.06);
  });
});

/** For each batch its sites' masks, (ROWS, COLUMNS) each. */
async function masks(t: TestContext, rate: number): Promise<Float32Array[][]> {
  const g = new Graph();
  const [rowNoise, columnNoise] = [g.input("rows", [ROWS], "int64"), g.input("columns", [COLUMNS], "int64")];
  for (let site = 0; site < SITES; site++)
    g.output(`mask ${site}`, g.one("dropoutMask", [rowNoise, columnNoise], { rate, site }));
  const session = await opened(t, g, () => new Float32Array());
  const found: Float32Array[][] = [];
  for (let batch = 0; batch < BATCHES; batch++) {
    const random = new Random(5, batch);
    const noise = (size: number) => BigInt64Array.from({ length: size }, () => BigInt(random.int32()));
    const results = await session.run({ rows: noise(ROWS), columns: noise(COLUMNS) });
    found.push(Array.from({ length: SITES }, (_, site) => results[`mask ${site}`] as Float32Array));
  }
  return found;
}

function allPairs<T>(count: number, at: (place: number) => T): [T, T][] {
  return Array.from({ length: count }, (_, a) =>
    Array.from({ length: count - a - 1 }, (_, b): [T, T] => [at(a), at(a + b + 1)]),
  ).flat();
}

/** Of two numbers that are 1 - rate at the share `rate`, else -rate. */
function correlation(a: Float64Array, b: Float64Array, rate: number): number {
  let sum = 0;
  for (const [at, number] of a.entries()) sum += number * b[at]!;
  return sum / a.length / (rate * (1 - rate));
}
