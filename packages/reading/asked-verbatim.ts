import type { Evidence } from "./evidence.ts";
import type { Candidate } from "./ranking.ts";

/**
 * The answer to a question that the text itself asks in the very words of the person: of all that could be found this
 * needs no weighing, and what an owner has written to a question must be given to it. Undefined: it asks none such,
 * or a word was put for another one, so that these are not the person's words.
 */
export function answerAskedVerbatim(ranked: readonly Candidate[], { query }: Evidence): Candidate | undefined {
  if (query.terms.some(({ corrected }) => corrected)) return undefined;
  const asked = new Set(query.terms.map(({ id }) => id));
  return ranked.find(
    ({ passage }) =>
      passage.kind === "qa" &&
      passage.leadTerms.length === asked.size &&
      passage.leadTerms.every((term) => asked.has(term)),
  );
}
