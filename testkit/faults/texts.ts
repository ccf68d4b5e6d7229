/** Numbers that are the same for the same seed: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function chosen<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

const SUBJECTS = ["The north gate", "Every locker", "The reading room", "A visitor's badge", "The boiler", "Line four"];
const VERBS = ["opens at", "costs", "was built in", "is checked on day", "holds", "lies behind room"];

/** A text of about that many characters, with an answer that no other text has: `code`. */
export function handbook(random: () => number, characters: number, code: string): string {
  const sentences = [`The secret code of the cellar is ${code}.`];
  for (let length = 0; length < characters; ) {
    const number = Math.floor(random() * 1e6);
    const sentence = `${chosen(random, SUBJECTS)} number ${number} ${chosen(random, VERBS)} ${Math.floor(random() * 1e4)}.`;
    sentences.push(sentences.length % 6 === 0 ? `\n\n${sentence}` : sentence);
    length += sentence.length;
  }
  return sentences.join(" ");
}
