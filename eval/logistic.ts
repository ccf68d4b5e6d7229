export interface Example {
  signals: number[];
  isPositive: boolean;
}

export interface LogisticFit {
  bias: number;
  weights: number[];
}

const STEPS = 50;
const RIDGE = 1e-6;

/**
 * Logistic regression by Newton's method, the same result every time. `ridges` says how much each signal's weight is held
 * down (half of it times the weight's square is added to the loss, a sum over the examples); next to nothing where it is left out.
 */
export function fitLogistic(examples: readonly Example[], ridges: readonly number[] = []): LogisticFit {
  const width = (examples[0]?.signals.length ?? 0) + 1;
  const ridgeOf = (row: number) => (row === 0 ? RIDGE : (ridges[row - 1] ?? RIDGE));
  const all = examples.map(({ signals, isPositive }) => ({ x: Float64Array.of(1, ...signals), isPositive }));
  let beta = new Float64Array(width);
  for (let step = 0; step < STEPS; step++) {
    const gradient = beta.map((value, row) => -ridgeOf(row) * value);
    const hessian = Array.from({ length: width }, (_, row) => {
      const line = new Float64Array(width);
      line[row] = ridgeOf(row);
      return line;
    });
    for (const { x, isPositive } of all) {
      const probability = 1 / (1 + Math.exp(-dot(beta, x)));
      const curvature = probability * (1 - probability);
      for (let row = 0; row < width; row++) {
        gradient[row]! += ((isPositive ? 1 : 0) - probability) * x[row]!;
        const line = hessian[row]!;
        const share = curvature * x[row]!;
        for (let column = row; column < width; column++) line[column]! += share * x[column]!;
      }
    }
    for (let row = 0; row < width; row++)
      for (let column = 0; column < row; column++) hessian[row]![column] = hessian[column]![row]!;
    const change = solve(hessian, gradient);
    beta = beta.map((value, index) => value + change[index]!);
    if (change.every((value) => Math.abs(value) < 1e-9)) break;
  }
  return { bias: beta[0]!, weights: [...beta.subarray(1)] };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

/** Solves a linear system by Gaussian elimination with partial pivoting. */
function solve(matrix: readonly Float64Array[], right: Float64Array): number[] {
  const rows = matrix.map((row, index) => Float64Array.of(...row, right[index]!));
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / rows[column]![column]!;
      for (let at = column; at <= size; at++) rows[row]![at]! -= factor * rows[column]![at]!;
    }
  }
  return rows.map((row, index) => row[size]! / row[index]!);
}
