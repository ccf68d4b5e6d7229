/** A text of so many sentences that are all different, and that a language model can learn something of. */
export function manual(sentences: number): string {
  const places = ["office", "library", "canteen", "workshop", "garden", "archive"];
  const people = ["the porter", "a gardener", "the cook", "an archivist", "the manager"];
  const paragraphs: string[] = [];
  for (let number = 0; number < sentences; number++) {
    const [place, person] = [places[number % places.length], people[number % people.length]];
    paragraphs.push(`The ${place} on floor ${number} opens at ${7 + (number % 5)} and is kept by ${person}.`);
  }
  return paragraphs.join("\n\n");
}
