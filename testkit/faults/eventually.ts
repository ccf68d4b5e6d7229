import { setTimeout as delay } from "node:timers/promises";

const LOOK_EVERY_MS = 5;

/** Resolves with what `look` returns once that is not false or undefined. Throws where it takes longer than limitMs. */
export async function eventually<T>(
  what: string,
  limitMs: number,
  look: () => Promise<T | false | undefined> | T | false | undefined,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== false && found !== undefined) return found;
    if (performance.now() > end) throw new Error(`It did not come about within ${limitMs / 1000} s that ${what}.`);
    await delay(LOOK_EVERY_MS);
  }
}
