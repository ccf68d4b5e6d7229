import type { Learning } from "@caigun/contract";
import { LossCurve } from "./loss-curve.ts";

export type Progress = {
  status: string;
  stage: string | null;
  progress: number;
  learning: Learning | null;
  failure: { stage: string; cause: string; fix: string } | null;
};

/** What a person is told while a training goes on, from one event of its stream to the next. */
export class TrainingShown {
  readonly #losses = new LossCurve();
  #standInTold = false;

  /** What stands beside the bar now; `line`: what is told once, on a line of its own. */
  after({ stage, status, learning }: Progress): { beside: string; line: string | undefined } {
    if (!learning)
      return {
        beside: stage === "learn" ? "learn: the base is fetched or opened" : (stage ?? status),
        line: undefined,
      };
    this.#losses.add(learning);
    const line = this.#standInTold ? undefined : standInLine(learning);
    this.#standInTold ||= line !== undefined;
    return { beside: learningLine(learning, this.#losses.drawn()), line };
  }
}

/** That it is trained on other weights than gpt2's own, and why; undefined where it is not. */
export function standInLine({ base, base_because }: Pick<Learning, "base" | "base_because">): string | undefined {
  return base_because === null ? undefined : `gpt2's own weights can't be had: ${base} stands in. ${base_because}`;
}

/** How the learning goes, beside the bar: numbers, and the losses so far as a curve. */
function learningLine({ step, steps, loss, held_out_loss, tokens_per_second, seconds_left }: Learning, curve: string) {
  const [nats, heldOut] = [loss?.toFixed(2) ?? "-", held_out_loss?.toFixed(2) ?? "-"];
  const left = seconds_left < 90 ? `${Math.round(seconds_left)} s` : `${Math.round(seconds_left / 60)} min`;
  const speed = `${Math.round(tokens_per_second)} tokens/s`;
  return `step ${step} of ${steps}, loss ${nats} ${curve} held out ${heldOut}, ${speed}, ${left} left`;
}
