/** When the learning rate is what. */
export interface Schedule {
  peak: number;
  steps: number;
  /** The share of the steps in which it rises to its peak. */
  warmup: number;
}

/** The learning rate of a step, counted from 1: it rises in a line, then falls to 0 as a cosine (Loshchilov and Hutter 2017). */
export function learningRateAt(step: number, { peak, steps, warmup }: Schedule): number {
  const rising = Math.max(1, Math.round(steps * warmup));
  if (step <= rising) return (peak * step) / rising;
  const gone = (step - rising) / Math.max(1, steps - rising);
  return (peak * (1 + Math.cos(Math.PI * Math.min(1, gone)))) / 2;
}
