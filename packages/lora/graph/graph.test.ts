import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { opened } from "../../../testkit/lora-training.ts";
import { add, matmul, mul, reshape, sqrt, transpose } from "./build.ts";
import { fuse } from "./fuse.ts";
import { checkGraph, Graph, type Node, type Value } from "./graph.ts";
import { peakMemory } from "./peak-memory.ts";

const operationsOf = (g: Graph) => g.nodes.map(({ operation }) => operation);
const FLOAT_BYTES = 4;

describe("a graph", () => {
  it("refuses shapes that an operation cannot take, and names them", () => {
    const g = new Graph();
    const [a, b] = [g.input("a", [2, 3]), g.input("b", [4, 5])];
    assert.throws(() => matmul(g, a, b), /matmul of \(2, 3\), \(4, 5\): the inner sizes 3 and 4 differ/);
    assert.throws(() => add(g, a, b), /add of \(2, 3\), \(4, 5\)/);
    assert.throws(() => transpose(g, a, [0, 0]), /permutation/);
    assert.throws(() => g.one("slice", [a], { axis: 1, start: 1, end: 4 }), /not within axis 1/);
    assert.throws(() => g.constant([1, 2], [3]), /2 numbers do not fill \(3\)/);
    assert.throws(() => g.input("a", [1]), /already has an input "a"/);
    assert.equal(g.nodes.length, 0);
  });

  it("is refused where a node reads what comes later, has another shape than its rule's, or an output is not computed", () => {
    const make = () => {
      const g = new Graph();
      const a = g.input("a", [2, 3]);
      g.output("y", sqrt(g, mul(g, a, a)));
      return g;
    };
    checkGraph(make());
    const turned = make();
    turned.nodes.reverse();
    assert.throws(() => checkGraph(turned), /sqrt reads value \d+ before it is computed/);
    const reshaped = make();
    const [first] = reshaped.nodes as [Node];
    reshaped.nodes[0] = { ...first, outputs: [{ ...(first.outputs[0] as Value), shape: [3, 2] }] };
    assert.throws(() => checkGraph(reshaped), /mul gives \(2, 3\), not \(3, 2\)/);
    const shortened = make();
    shortened.nodes.pop();
    assert.throws(() => checkGraph(shortened), /output "y" is not computed/);
  });
});

describe("fuse()", () => {
  it("makes one operation of a product and what is added to it, on either side, and drops what nothing needs", async (t) => {
    const build = () => {
      const g = new Graph();
      const [a, b, c] = [g.input("a", [2, 3]), g.input("b", [4, 3]), g.input("c", [2, 4])];
      const product = () => matmul(g, a, b, { transposeB: true, factor: 0.5 });
      sqrt(g, c);
      g.output("left", add(g, product(), c));
      g.output("right", add(g, c, product()));
      return g;
    };
    const [plain, fused] = [build(), build()];
    fuse(fused);
    assert.deepEqual(operationsOf(fused), ["matmulAdd", "matmulAdd"]);
    const feeds = { a: numbers(6), b: numbers(12), c: numbers(8) };
    assert.deepEqual(await run(t, fused, feeds), await run(t, plain, feeds));
  });

  it("leaves a product that is read elsewhere, is an output, or is spread over what it is added to", () => {
    const g = new Graph();
    const [a, b, c] = [g.input("a", [2, 3]), g.input("b", [3, 4]), g.input("c", [2, 4])];
    const [twice, shown, row] = [
      matmul(g, a, b),
      matmul(g, a, b),
      matmul(g, reshape(g, a, [6, 1]), g.constant([2], [1, 1])),
    ];
    g.output("twice", mul(g, add(g, twice, c), twice));
    g.output("shown", shown);
    g.output("sum", add(g, shown, c));
    g.output("row", add(g, row, g.input("wide", [6, 4])));
    g.output("itself", add(g, matmul(g, a, b), matmul(g, a, b)));
    fuse(g);
    assert.deepEqual(operationsOf(g).filter((operation) => operation === "matmulAdd").length, 1);
    assert.deepEqual(operationsOf(g).filter((operation) => operation === "matmul").length, 4);
  });
});

describe("peakMemory()", () => {
  it("counts what is held at once: a value from its node to its last use, inputs and outputs to the end", () => {
    const g = new Graph();
    const a = g.input("a", [10]);
    const b = sqrt(g, a); // a, b
    const c = mul(g, b, b); // a, b, c; then b goes
    const d = g.one("repeat", [c], { shape: [5, 10] }); // a, c, d (50); then c goes
    g.output("e", g.one("sum", [d], { axes: [0] })); // a, d, e
    assert.equal(peakMemory(g, FLOAT_BYTES), (10 + 10 + 50) * FLOAT_BYTES);
  });

  it("counts a reshaped value once, and not what is frozen or constant", () => {
    const g = new Graph();
    const a = g.input("a", [10]);
    const table = g.frozenTensor(["table"], [1000, 10]);
    const squared = reshape(g, mul(g, a, a), [1, 10]);
    g.output("y", g.one("project", [squared, table]));
    assert.equal(peakMemory(g, FLOAT_BYTES), (10 + 10 + 1000) * FLOAT_BYTES);
    assert.equal(peakMemory(g, 2 * FLOAT_BYTES), (10 + 10 + 1000) * 2 * FLOAT_BYTES);
  });

  it("is that of a chain, however long it is", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), (widths) => {
        const g = new Graph();
        const first = g.input("x", [1, 1]);
        let value = first;
        for (const width of widths)
          value = g.one("repeat", [g.one("sum", [value], { axes: [1] })], { shape: [1, width] });
        g.output("y", value);
        const pairs = widths.map((width, at) => Math.max(width, widths[at - 1] ?? 0) + 1);
        const shown = 1 + Math.max(...pairs, 2);
        assert.equal(peakMemory(g, 1), shown);
      }),
    );
  });
});

function numbers(length: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => ((at * 37) % 11) / 8 - 0.5);
}

async function run(t: TestContext, g: Graph, feeds: Record<string, Float32Array>) {
  return (await opened(t, g, () => new Float32Array())).run(feeds);
}
