import type { Evidence, EvidencePassage, EvidenceTerm } from "./evidence.ts";

/** Something that may be quoted: a sentence, or the whole answer of a question-and-answer passage. */
export interface Candidate {
  passage: EvidencePassage;
  /** UTF-16 offsets in the passage's text. */
  start: number;
  end: number;
  /** The share of the question's weight that stands here (0..1). */
  coverage: number;
  /** The same for the whole passage. */
  passageCoverage: number;
  score: number;
  matched: ReadonlySet<number>;
}

const READ_PASSAGES = 5;
const PASSAGE_WEIGHT = 0.5;
// Chosen on all four question sets together (docs/reading.md): each moves one set by a point at most.
const IDF_POWER = 0.8;
const COMMON_WEIGHT = 0.6;
const NUMERIC_WEIGHT = 2;
/** What a heading says counts for each sentence below it, but less than the sentence itself. */
const LEAD_SHARE = 0.5;

/**
 * The sentences of the best passages, best first: the question's weight that they hold, and half of how good their
 * passage is. Ties keep the order of the text.
 */
export function rankCandidates(evidence: Evidence): Candidate[] {
  const weights = new Map<number, number>();
  const total = weigh(evidence.query.terms, weights);
  const best = evidence.passages[0]?.score ?? 0;
  const candidates: Candidate[] = [];
  if (total === 0) return candidates;
  for (const passage of evidence.passages.slice(0, READ_PASSAGES)) {
    const lead = matchedIn(passage.leadTerms, weights);
    const spans = passage.sentences.map(({ start, end, terms }) => ({
      start,
      end,
      matched: matchedIn(terms, weights),
    }));
    const everywhere = union([lead, ...spans.map((span) => span.matched)]);
    const passageCoverage = sum(everywhere, weights) / total;
    const relative = best > 0 ? passage.score / best : 0;
    const add = (start: number, end: number, matched: Set<number>, leadShare: number) => {
      const own = sum(matched, weights);
      const fromLead = sum(union([lead, matched]), weights) - own;
      const coverage = (own + leadShare * fromLead) / total;
      candidates.push({
        passage,
        start,
        end,
        coverage,
        passageCoverage,
        matched,
        score: coverage + PASSAGE_WEIGHT * relative,
      });
    };
    if (passage.kind === "qa") add(passage.answerStart, passage.text.length, everywhere, 1);
    else for (const { start, end, matched } of spans) add(start, end, matched, LEAD_SHARE);
  }
  return candidates.sort((a, b) => b.score - a.score);
}

/** The candidate that, said after the first, adds most: its own score and the weight that the first lacks. */
export function bestSecond(first: Candidate, others: readonly Candidate[], evidence: Evidence): Candidate | undefined {
  const weights = new Map<number, number>();
  const total = weigh(evidence.query.terms, weights);
  let best: Candidate | undefined;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const candidate of others) {
    let added = 0;
    for (const term of candidate.matched) if (!first.matched.has(term)) added += weights.get(term) ?? 0;
    const score = candidate.score + added / total;
    if (score > bestScore) {
      best = candidate;
      bestScore = score;
    }
  }
  return best;
}

function weigh(terms: readonly EvidenceTerm[], weights: Map<number, number>): number {
  let total = 0;
  for (const term of terms) {
    const weight = term.idf ** IDF_POWER * (term.common ? COMMON_WEIGHT : 1) * (term.numeric ? NUMERIC_WEIGHT : 1);
    total += weight;
    if (term.id >= 0) weights.set(term.id, weight);
  }
  return total;
}

function matchedIn(terms: readonly number[], weights: ReadonlyMap<number, number>): Set<number> {
  return new Set(terms.filter((term) => weights.has(term)));
}

function union(sets: readonly ReadonlySet<number>[]): Set<number> {
  const all = new Set<number>();
  for (const set of sets) for (const term of set) all.add(term);
  return all;
}

function sum(terms: ReadonlySet<number>, weights: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const term of terms) total += weights.get(term) ?? 0;
  return total;
}
