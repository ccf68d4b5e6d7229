import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seededRandom } from "../../../testkit/random.ts";
import { blockOf, hadamardMatrix, transformColumns, transformRows } from "./hadamard.ts";

describe("Walsh-Hadamard transforms", () => {
  it("have blocks that divide a row", () => {
    assert.deepEqual([576, 1536, 48, 20, 7].map(blockOf), [32, 32, 16, 4, 1]);
  });

  it("are products with a symmetric matrix of ones and minus ones that is its own inverse, but for its size", () => {
    for (const size of [1, 2, 8, 32]) {
      const matrix = hadamardMatrix(size);
      const at = (row: number, column: number) => matrix[row * size + column]!;
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++) {
          assert.equal(Math.abs(at(row, column)), 1);
          assert.equal(at(row, column), at(column, row));
          const product = matrix.slice(0, size).reduce((sum, _, k) => sum + at(row, k) * at(k, column), 0);
          assert.equal(product, row === column ? size : 0);
        }
    }
  });

  it("transform each row or each column, block by block", () => {
    const [height, width] = [6, 96];
    const random = seededRandom(5);
    // Small integers: sums are exact.
    const plain = Float32Array.from({ length: height * width }, () => Math.floor(random() * 9) - 4);
    const matrix = hadamardMatrix(32);
    const [rows, columns] = [plain.slice(), new Float32Array(plain.length)];
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const block = column - (column % 32);
        let sum = 0;
        for (let k = 0; k < 32; k++) sum += plain[row * width + block + k]! * matrix[k * 32 + (column % 32)]!;
        columns[column * height + row] = sum / 4;
      }
    transformRows(rows, width, 1 / 4);
    const standing = Float32Array.from(plain, (_, at) => plain[(at % height) * width + Math.floor(at / height)]!);
    transformColumns(standing, width, 1 / 4);
    assert.deepEqual(standing, columns);
    for (let at = 0; at < rows.length; at++)
      assert.equal(rows[at], columns[(at % width) * height + Math.floor(at / width)]);
  });
});
