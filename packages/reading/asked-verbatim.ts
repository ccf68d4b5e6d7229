import type { Evidence } from "./evidence.ts";
import type { Candidate } from "./ranking.ts";

/**
 * The answer to a question that the text itself asks in the very words of the person: of all that could be found this
 * needs no weighing, and what an owner has written to a question must be given to it. Undefined: it asks none such.
 */
export function answerAskedVerbatim(ranked: readonly Candidate[], { query }: Evidence): Candidate | undefined {
  const asked = new Set(query.terms.map(({ id }) => id));
  return ranked.find(
    ({ passage }) =>
      passage.kind === "qa" &&
      passage.leadTerms.length === asked.size &&
      passage.leadTerms.every((term) => asked.has(term)),
  );
}
