import { normalise, words } from "@caigun/text";
import type { Evidence } from "./evidence.ts";
import type { Candidate } from "./ranking.ts";

/**
 * The answer to a question that the text itself asks in the very words of the person, in their order: of all that could be
 * found this needs no weighing, and what an owner has written to a question must be given to it. Undefined: it asks none
 * such, or a word was put for another one, so that these are not the person's words.
 */
export function answerAskedVerbatim(
  ranked: readonly Candidate[],
  { query }: Evidence,
  question: string,
): Candidate | undefined {
  if (query.terms.some(({ corrected }) => corrected)) return undefined;
  const asked = new Set(query.terms.map(({ id }) => id));
  const inOrder = (text: string) => words(normalise(text).text, query.language).map(({ term }) => term);
  return ranked.find(
    ({ passage }) =>
      passage.kind === "qa" &&
      asked.size > 0 &&
      passage.leadTerms.length === asked.size &&
      passage.leadTerms.every((term) => asked.has(term)) &&
      // "From here to there" is another question than "from there to here".
      inOrder(passage.question ?? "").join(" ") === inOrder(question).join(" "),
  );
}
