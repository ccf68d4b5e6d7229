import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { processorSeconds, proportionalSetSizes } from "./parts.ts";

const SAMPLE_EVERY_MS = 50;

/** A process that makes a step each time it is told to, and prints a line of JSON after each. The first comes by itself. */
export class TurnTaker {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #words: string;
  /** The highest sum of the proportional set sizes of its processes, bytes, of what was watched. */
  peakBytes = 0;

  constructor(program: string, words: string[]) {
    this.#words = [program, ...words].join(" ");
    this.#child = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Throws where the process ends instead. */
  async line<Line>(): Promise<Line> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#words} ended: see above.`);
    return JSON.parse(value) as Line;
  }

  /** With what it took by the clock, and of the processors, which other load on the machine changes less. */
  async step(): Promise<{ seconds: number; processorSeconds: number; loss: number }> {
    const used = await this.#processorSeconds();
    const began = performance.now();
    this.#child.stdin!.write("\n");
    const { loss } = await this.line<{ loss: number }>();
    const seconds = (performance.now() - began) / 1000;
    return { seconds, processorSeconds: (await this.#processorSeconds()) - used, loss };
  }

  async #processorSeconds(): Promise<number> {
    return Object.values(await processorSeconds(this.#child.pid!)).reduce((sum, part) => sum + part, 0);
  }

  /** Takes its memory every 50 ms while something happens. */
  async watched<Result>(what: Promise<Result>): Promise<Result> {
    let watching = true;
    const watch = async () => {
      while (watching) {
        const next = new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
        const bytes = Object.values(await proportionalSetSizes(this.#child.pid!)).reduce((sum, part) => sum + part, 0);
        this.peakBytes = Math.max(this.peakBytes, bytes);
        await next;
      }
    };
    const watched = watch();
    try {
      return await what;
    } finally {
      watching = false;
      await watched;
    }
  }

  /** Ends it, wherever it stands. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }
}
