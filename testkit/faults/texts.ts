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
