const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
const COLUMNS = 16;

/**
 * The losses of a training's steps as one line of bars, from its beginning to where it is: a column is the mean of its
 * share of the steps, since single steps jump.
 */
export class LossCurve {
  readonly #losses = new Map<number, number>();
  #steps = 1;

  add({ step, steps, loss }: { step: number; steps: number; loss: number | null }): void {
    this.#steps = steps;
    if (loss !== null) this.#losses.set(step, loss);
  }

  drawn(): string {
    const columns = Map.groupBy(this.#losses, ([step]) => Math.floor((COLUMNS * (step - 1)) / this.#steps));
    const means = [...columns]
      .sort(([one], [other]) => one - other)
      .map(([, points]) => points.reduce((sum, [, loss]) => sum + loss, 0) / points.length);
    const [least, most] = [Math.min(...means), Math.max(...means)];
    const heightOf = (mean: number) =>
      most > least ? Math.round(((BARS.length - 1) * (mean - least)) / (most - least)) : 0;
    return means.map((mean) => BARS[heightOf(mean)]).join("");
  }
}
