/** NFKC, lower case, letters and digits alone: what a gold answer and a reply are compared in. */
export function comparable(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** Whether a reply contains one of the gold answers. */
export function containsGold(reply: string, answers: readonly string[]): boolean {
  const within = comparable(reply);
  return answers.some((answer) => {
    const gold = comparable(answer);
    return gold !== "" && within.includes(gold);
  });
}

/** The confidence below which a share of the answerable questions would be refused (the false refusals). */
export function thresholdAt(answerable: readonly number[], falseRefusals: number): number {
  const ascending = [...answerable].sort((a, b) => a - b);
  return ascending[Math.floor(falseRefusals * ascending.length)] ?? 0;
}

/** The share of confidences below a threshold. */
export function shareBelow(confidences: readonly number[], threshold: number): number {
  return confidences.filter((confidence) => confidence < threshold).length / Math.max(1, confidences.length);
}

/** The chance that an answerable question has a higher confidence than a foreign one (ties count half). */
export function areaUnderCurve(answerable: readonly number[], foreign: readonly number[]): number {
  const ascending = [...foreign].sort((a, b) => a - b);
  let sum = 0;
  for (const confidence of answerable) {
    const below = countUpTo(ascending, (value) => value < confidence);
    const notAbove = countUpTo(ascending, (value) => value <= confidence);
    sum += (below + notAbove) / 2;
  }
  return sum / Math.max(1, answerable.length * foreign.length);
}

function countUpTo(ascending: number[], holds: (value: number) => boolean): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(ascending[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}
