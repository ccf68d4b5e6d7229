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

/** Logistic regression by Newton's method: a few signals, thousands of examples, the same result every time. */
export function fitLogistic(examples: readonly Example[]): LogisticFit {
  const width = (examples[0]?.signals.length ?? 0) + 1;
  let beta = new Array<number>(width).fill(0);
  for (let step = 0; step < STEPS; step++) {
    const gradient = new Array<number>(width).fill(0);
    const hessian = Array.from({ length: width }, (_, row) =>
      Array.from({ length: width }, (_, column) => (row === column ? RIDGE : 0)),
    );
    for (const { signals, isPositive } of examples) {
      const x = [1, ...signals];
      const probability = 1 / (1 + Math.exp(-dot(beta, x)));
      const curvature = probability * (1 - probability);
      for (let row = 0; row < width; row++) {
        gradient[row]! += ((isPositive ? 1 : 0) - probability) * x[row]!;
        for (let column = 0; column < width; column++) hessian[row]![column]! += curvature * x[row]! * x[column]!;
      }
    }
    const change = solve(hessian, gradient);
    beta = beta.map((value, index) => value + change[index]!);
    if (change.every((value) => Math.abs(value) < 1e-9)) break;
  }
  return { bias: beta[0]!, weights: beta.slice(1) };
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

/** Solves a small linear system by Gaussian elimination with partial pivoting. */
function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const rows = matrix.map((row, index) => [...row, right[index]!]);
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
