import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Graph } from "../graph/graph.ts";
import { FrozenFile } from "./frozen-file.ts";
import { blockOf } from "./hadamard.ts";
import { lower } from "./lower.ts";
import type { WeightIntegers } from "./quantise.ts";
import { Session } from "./session.ts";

const [INNER, OUT] = [256, 32];
const BLOCK = blockOf(INNER);

/**
 * With which of the two a product of 8-bit integers is exact on this processor, tried with the largest numbers there
 * are. x86 processors without VNNI add pairs of products of unsigned and signed bytes in 16 bits (VPMADDUBSW) and cut
 * off what goes beyond; products of two unsigned ones take another, slower way that is exact everywhere. The results
 * are the same to the bit.
 */
export async function exactIntegers(folder: string): Promise<WeightIntegers> {
  const g = new Graph();
  const product = g.one("project", [g.input("x", [1, INNER]), g.frozenTensor(["weight"], [OUT, INNER])]);
  g.output("product", product);
  const path = join(folder, "probe");
  const file = new FrozenFile(path, () => beforeSpreading(OUT, INNER, -1), "int8");
  try {
    const session = await Session.open(folder, "probe", lower(g, "int8", file), { threads: 1 });
    try {
      const { product } = await session.run({ x: beforeSpreading(1, INNER, 1) });
      return product?.every((sum) => Math.abs((BLOCK * sum) / INNER + 1) < 1e-4) ? "int8" : "uint8";
    } finally {
      await session.close();
    }
  } finally {
    file.close();
    for (const name of [path, `${path}.onnx`]) await rm(name, { force: true });
  }
}

/** Rows that are `value` everywhere once they are spread (hadamard.ts): the first number of each block is it alone. */
function beforeSpreading(rows: number, width: number, value: number): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, at) => (at % BLOCK === 0 ? value : 0));
}
