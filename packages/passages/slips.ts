/**
 * How a word was misspelt. Usual: a letter was swapped with the next, left out or doubled, as hands do. Unusual: one was
 * exchanged for another or came in, which as often makes another word ("sent", "send").
 */
export type Slip = "usual" | "unusual";

/** The single slip that makes `typed` of `meant`; undefined where there is none, or more than one is needed. */
export function singleSlip(meant: string, typed: string): Slip | undefined {
  if (Math.abs(meant.length - typed.length) > 1) return undefined;
  const shorter = Math.min(meant.length, typed.length);
  let start = 0;
  while (start < shorter && meant[start] === typed[start]) start++;
  let end = 0;
  while (end < shorter - start && meant.at(-1 - end) === typed.at(-1 - end)) end++;
  const wanted = meant.slice(start, meant.length - end);
  const found = typed.slice(start, typed.length - end);
  if (wanted.length === 1 && found === "") return "usual";
  if (wanted === "" && found.length === 1) return found === typed[start - 1] ? "usual" : "unusual";
  if (wanted.length === 1 && found.length === 1) return "unusual";
  return wanted.length === 2 && found === wanted[1]! + wanted[0]! ? "usual" : undefined;
}
