/**
 * How many letters must be inserted, dropped, exchanged or swapped with their neighbour to make one word of the other,
 * no letter being touched twice (optimal string alignment: Damerau-Levenshtein as spelling correctors restrict it), in
 * UTF-16 units; any number above `limit` where it is more than that.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  // Rows of the table: distances of the first `row` letters of a from the first letters of b.
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const distances = [row];
    let least = row;
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1];
      let distance = Math.min(last[column]! + 1, distances[column - 1]! + 1, last[column - 1]! + (isSame ? 0 : 1));
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwapped) distance = Math.min(distance, beforeLast[column - 2]! + 1);
      distances.push(distance);
      least = Math.min(least, distance);
    }
    // A swap reaches back two rows, but costs one: no later distance is below the least of a row.
    if (least > limit) return limit + 1;
    beforeLast = last;
    last = distances;
  }
  return last[b.length]!;
}
