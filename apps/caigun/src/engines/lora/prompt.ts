/**
 * What an adapter learns to go on from, and is asked with: passages, a question, and where the answer begins. The same
 * form in training and in talking is what makes a small model answer at all. What it writes is checked against the
 * passages, whatever they told it.
 */
export function groundedPrompt(question: string, passages: readonly string[]): string {
  return `Text:\n${passages.join("\n\n")}\n\nQuestion: ${question.replace(/\s+/g, " ").trim()}\nAnswer:`;
}

/** Tokens that the passages may take: with question and answer they fit into a training's rows (LENGTH, plan.ts). */
export const MOST_PASSAGE_TOKENS = 320;

/** As many passages as fit, the best first; the first is cut at a code point where it alone is too long. */
export function fittingPassages(passages: readonly string[], countTokens: (text: string) => number): string[] {
  const chosen: string[] = [];
  let left = MOST_PASSAGE_TOKENS;
  for (const passage of passages) {
    const tokens = countTokens(passage);
    if (tokens <= left) {
      chosen.push(passage);
      left -= tokens;
      continue;
    }
    if (chosen.length === 0) chosen.push(cutTo(passage, left / tokens));
    break;
  }
  return chosen;
}

function cutTo(text: string, share: number): string {
  return text.slice(0, Math.floor(text.length * share)).toWellFormed();
}
