/** Brings each row of a matrix with `width` columns to length 1, in place. */
export function normaliseRows(matrix: Float32Array, width: number): void {
  for (let start = 0; start < matrix.length; start += width) {
    let squares = 0;
    for (let at = start; at < start + width; at++) squares += matrix[at]! * matrix[at]!;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let at = start; at < start + width; at++) matrix[at]! *= scale;
  }
}
