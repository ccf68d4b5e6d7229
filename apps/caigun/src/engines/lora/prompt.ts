/**
 * What an adapter learns to go on from, and is asked with: passages, a question, and where the answer begins. The same
 * form in training and in talking is what makes a small model answer at all. What it writes is checked against the
 * passages, whatever they told it.
 */
export function groundedPrompt(question: string, passages: readonly string[]): string {
  const text = passages.length > 0 ? `Text:\n${passages.join("\n\n")}\n\n` : "";
  return `${text}Question: ${question.replace(/\s+/g, " ").trim()}\nAnswer:`;
}

/** Tokens that the passages may take: with question and answer they fit into a training's rows (LENGTH, plan.ts). */
const MOST_PASSAGE_TOKENS = 320;
/** Of a model that sees fewer tokens at a time, the share that the passages may take. */
const SHARE_OF_CONTEXT = 0.6;

/** Tokens that the passages may take where a model sees so many at a time, prompt and answer together. */
export function passageTokens(contextTokens: number): number {
  return Math.min(MOST_PASSAGE_TOKENS, Math.floor(SHARE_OF_CONTEXT * contextTokens));
}

/** As many passages as fit into `mostTokens`, the best first; the first is cut at a code point where it alone is too long. */
export function fittingPassages(
  passages: readonly string[],
  mostTokens: number,
  countTokens: (text: string) => number,
): string[] {
  const chosen: string[] = [];
  let left = mostTokens;
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
