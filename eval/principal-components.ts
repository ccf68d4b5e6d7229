const ITERATIONS = 200;

/**
 * The first `count` eigenvectors of a symmetric positive matrix (width, width), by orthogonal iteration (Golub and Van
 * Loan, Matrix Computations, 8.2.4): as columns of a matrix (width, count), and the share of the trace that they hold.
 */
export function principalComponents(
  matrix: Float64Array,
  width: number,
  count: number,
): { components: Float64Array; share: number } {
  // (count, width): rows are easier to walk along. The same beginning each time, so that the result is the same.
  let rows: Float64Array[] = Array.from({ length: count }, (_, row) =>
    Float64Array.from({ length: width }, (_, column) => Math.sin(1 + row * width + column)),
  );
  orthonormalise(rows);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    rows = rows.map((row) => times(matrix, row, width));
    orthonormalise(rows);
  }
  let trace = 0;
  for (let at = 0; at < width; at++) trace += matrix[at * width + at]!;
  const held = rows.reduce((sum, row) => sum + dot(row, times(matrix, row, width)), 0);
  const components = new Float64Array(width * count);
  for (const [column, row] of rows.entries())
    for (let at = 0; at < width; at++) components[at * count + column] = row[at]!;
  return { components, share: held / trace };
}

function times(matrix: Float64Array, vector: Float64Array, width: number): Float64Array {
  const product = new Float64Array(width);
  for (let row = 0; row < width; row++) product[row] = dot(matrix.subarray(row * width, (row + 1) * width), vector);
  return product;
}

/** Gram and Schmidt, modified. */
function orthonormalise(rows: Float64Array[]): void {
  for (const [index, row] of rows.entries()) {
    for (const earlier of rows.slice(0, index)) {
      const along = dot(row, earlier);
      for (let at = 0; at < row.length; at++) row[at]! -= along * earlier[at]!;
    }
    const length = Math.sqrt(dot(row, row));
    for (let at = 0; at < row.length; at++) row[at]! /= length;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at]! * b[at]!;
  return sum;
}
