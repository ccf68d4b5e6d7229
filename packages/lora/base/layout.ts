/**
 * Llama turns each head's first half of rows against its second (Hugging Face), or its even rows against its odd ones
 * (llama.cpp, whose converter reorders the rows of queries and keys so). `values` is (heads * headWidth, columns).
 */
export function halvesFromPairs(values: Float32Array, heads: number, headWidth: number): Float32Array<ArrayBuffer> {
  const half = headWidth / 2;
  return reordered(values, heads, headWidth, (row) => (row < half ? 2 * row : 2 * (row - half) + 1));
}

/** The way back from `halvesFromPairs`: the order that llama.cpp's files have. */
export function pairsFromHalves(values: Float32Array, heads: number, headWidth: number): Float32Array<ArrayBuffer> {
  return reordered(values, heads, headWidth, (row) => (row >> 1) + (row & 1) * (headWidth / 2));
}

function reordered(values: Float32Array, heads: number, headWidth: number, from: (row: number) => number) {
  const columns = values.length / (heads * headWidth);
  const into = new Float32Array(values.length);
  for (let head = 0; head < heads; head++)
    for (let row = 0; row < headWidth; row++) {
      const at = (head * headWidth + from(row)) * columns;
      into.set(values.subarray(at, at + columns), (head * headWidth + row) * columns);
    }
  return into;
}

/** (rows, columns) as (columns, rows). */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const into = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) into[column * rows + row] = values[row * columns + column]!;
  return into;
}
