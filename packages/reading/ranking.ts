import type { Evidence, EvidencePassage } from "./evidence.ts";
import { type QuestionWeights, weightsForRanking } from "./question-weights.ts";

/** Something that may be quoted: a sentence, or the whole answer of a question-and-answer passage. */
export interface Candidate {
  passage: EvidencePassage;
  /** UTF-16 offsets in the passage's text. */
  start: number;
  end: number;
  score: number;
  /** The question's terms that stand here, and in the whole passage with its heading and question. */
  matched: ReadonlySet<number>;
  passageMatched: ReadonlySet<number>;
}

const READ_PASSAGES = 5;
const PASSAGE_WEIGHT = 0.5;
/** What a heading says counts for each sentence below it, but less than the sentence itself. */
const LEAD_SHARE = 0.5;

/**
 * The sentences of the best passages, best first: the share of the question's weight that they hold, and half of how
 * good their passage is beside the best one. Ties keep the passages' order and the order of the text.
 */
export function rankCandidates(evidence: Evidence): Candidate[] {
  const weights = weightsForRanking(evidence.query.terms);
  const best = evidence.passages[0]?.score ?? 0;
  return evidence.passages
    .slice(0, READ_PASSAGES)
    .flatMap((passage) => candidatesOf(passage, weights, best > 0 ? passage.score / best : 0))
    .sort((a, b) => b.score - a.score);
}

function candidatesOf(passage: EvidencePassage, weights: QuestionWeights, relativeScore: number): Candidate[] {
  const lead = passage.leadTerms.filter((term) => weights.has(term));
  const spans = passage.sentences.map(({ start, end, terms }) => ({
    start,
    end,
    matched: new Set(terms.filter((term) => weights.has(term))),
  }));
  const passageMatched = new Set([...lead, ...spans.flatMap(({ matched }) => [...matched])]);
  const candidate = (start: number, end: number, matched: ReadonlySet<number>, leadShare: number): Candidate => {
    const fromLead = leadShare * weights.share(lead.filter((term) => !matched.has(term)));
    const score = weights.share(matched) + fromLead + PASSAGE_WEIGHT * relativeScore;
    return { passage, start, end, score, matched, passageMatched };
  };
  // A question that the text itself asks is answered by what follows it, as a whole.
  if (passage.kind === "qa") return [candidate(passage.answerStart, passage.text.length, passageMatched, 0)];
  return spans.map(({ start, end, matched }) => candidate(start, end, matched, LEAD_SHARE));
}

/** Of the candidates after the first, the one that adds most: its own score, and the weight that the first lacks. */
export function bestSecond(ranked: readonly Candidate[], evidence: Evidence): Candidate | undefined {
  const [first, ...others] = ranked;
  if (!first) return undefined;
  const weights = weightsForRanking(evidence.query.terms);
  let best: Candidate | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const candidate of others) {
    const added = weights.share([...candidate.matched].filter((term) => !first.matched.has(term)));
    if (candidate.score + added > bestScore) {
      best = candidate;
      bestScore = candidate.score + added;
    }
  }
  return best;
}
