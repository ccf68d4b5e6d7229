import { type Table, tablesOf } from "@caigun/text";
import { type MayAnswer, mayAnswerOf } from "./answer-kind.ts";
import type { Evidence, EvidencePassage } from "./evidence.ts";
import { opensWithPronoun } from "./extent.ts";
import type { Fit } from "./fits.ts";
import {
  type HybridSignals,
  type HybridWeights,
  rankingSignals,
  tokenWeightsOf,
  weightedMean,
} from "./hybrid-weights.ts";
import { highest, likenessOf } from "./late-interaction.ts";
import { type QuestionWeights, weightsForRanking } from "./question-weights.ts";
import { isHeadOf } from "./tables.ts";

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
  /** What the vectors say, where question and passage have some: each question token's (T) best cosines in it and in its passage. */
  vectors?: { best: Float32Array; passageBest: Float32Array; cosine: number; passageCosine: number };
  /** The same with what words say, where the question has vectors. */
  hybrid?: HybridSignals;
}

/** A candidate before it is ranked. */
export interface DescribedCandidate extends Omit<Candidate, "score" | "hybrid"> {
  words: number;
  /** The share of the question's weight that the sentence before holds and this one lacks: what it is about may be named there. */
  before: number;
  /** Whether it surely is, since the sentence opens with a pronoun. */
  leansOnBefore: boolean;
  /** Whether it may be what is asked for: not where a number is, and it holds none. */
  mayAnswer: boolean;
}

/** By words alone a passage further down misleads more often than it helps. */
const READ_BY_WORDS = 5;
const PASSAGE_WEIGHT = 0.5;
const BEFORE_WEIGHT = 0.3;
const PRONOUN_BEFORE_WEIGHT = 0.6;
/** What a candidate without a number loses where one is asked for. */
const NO_NUMBER_LOSS = 0.15;
/** What a heading says counts for each sentence below it, but less than the sentence itself. */
const LEAD_SHARE = 0.5;
/** For an embedder that nothing was fitted for: every token counts alike. */
const UNFITTED = { ranking: { words: 4, bm25: 2, maxSim: 16, cosine: 0, passageCosine: 0 }, token: [], tokenBias: 1 };

/**
 * The sentences of the best passages, best first. Where only words speak: the share of the question's weight that they
 * hold, less of what the sentence before adds, and half of how good their passage is beside the best one; less where the
 * question asks for a number and there is none. Where vectors speak too: a weighted sum of what both say. Ties keep the passages' order and the order of the text.
 */
export function rankCandidates(evidence: Evidence, fit: Fit, question: string): Candidate[] {
  const described = describeCandidates(evidence, question);
  if (!evidence.vectors)
    return byScore(described, (candidate) => {
      const aboutTheSame = candidate.leansOnBefore ? 0 : BEFORE_WEIGHT * candidate.before;
      return wordsInContext(candidate) + aboutTheSame + PASSAGE_WEIGHT * candidate.passage.relativeBm25;
    });
  const weights = fit.hybrid[evidence.vectors.embedder] ?? {
    ...UNFITTED,
    token: new Array<number>(evidence.vectors.mean.length).fill(0),
  };
  const tokenWeights = tokenWeightsOf(evidence.vectors, weights);
  const signalled = described.map((one) => ({ ...one, hybrid: hybridSignals(one, tokenWeights) }));
  return byScore(signalled, ({ hybrid }) => hybridScore(hybrid, weights.ranking));
}

/** The share of the question's weight that a candidate holds, with what its pronoun stands for, less where it can't answer. */
function wordsInContext({ words, before, leansOnBefore, mayAnswer }: DescribedCandidate): number {
  return words + (leansOnBefore ? PRONOUN_BEFORE_WEIGHT * before : 0) - (mayAnswer ? 0 : NO_NUMBER_LOSS);
}

export function hybridScore(signals: HybridSignals, ranking: HybridWeights["ranking"]): number {
  return rankingSignals.reduce((sum, name) => sum + ranking[name] * signals[name], 0);
}

export function hybridSignals(candidate: DescribedCandidate, tokenWeights: Float64Array): HybridSignals {
  const plain = tokenWeights.map(() => 1 / tokenWeights.length);
  const none = new Float32Array(tokenWeights.length);
  const { best, passageBest, cosine, passageCosine } = candidate.vectors ?? {
    best: none,
    passageBest: none,
    cosine: 0,
    passageCosine: 0,
  };
  return {
    words: wordsInContext(candidate),
    bm25: candidate.passage.relativeBm25,
    maxSim: weightedMean(best, tokenWeights),
    passageMaxSim: weightedMean(passageBest, tokenWeights),
    plainMaxSim: weightedMean(best, plain),
    passagePlainMaxSim: weightedMean(passageBest, plain),
    cosine,
    passageCosine,
  };
}

/** All candidates of the passages that are read, in order, unranked. */
export function describeCandidates(evidence: Evidence, question: string): DescribedCandidate[] {
  const weights = weightsForRanking(evidence.query.terms);
  const mayAnswer = mayAnswerOf(question, evidence.query.language);
  const passages = evidence.vectors ? evidence.passages : evidence.passages.slice(0, READ_BY_WORDS);
  return passages.flatMap((passage) => candidatesOf(passage, weights, mayAnswer, evidence));
}

function byScore<C extends Omit<Candidate, "score">>(candidates: C[], scoreOf: (candidate: C) => number): Candidate[] {
  return candidates.map((candidate) => ({ ...candidate, score: scoreOf(candidate) })).sort((a, b) => b.score - a.score);
}

function candidatesOf(
  passage: EvidencePassage,
  weights: QuestionWeights,
  mayAnswer: MayAnswer,
  { vectors, query }: Evidence,
): DescribedCandidate[] {
  const lead = passage.leadTerms.filter((term) => weights.has(term));
  const spans = passage.sentences.map(({ start, end, terms }) => ({
    start,
    end,
    matched: new Set(terms.filter((term) => weights.has(term))),
  }));
  const passageMatched = new Set([...lead, ...spans.flatMap(({ matched }) => [...matched])]);
  const words = (matched: ReadonlySet<number>, leadShare: number) =>
    weights.share(matched) + leadShare * weights.share(lead.filter((term) => !matched.has(term)));
  const likeness = vectors && passage.vectors && likenessOf(vectors, passage.vectors);
  const passageBest = likeness && highest(likeness.best);
  const passageCosine = passage.vectors?.cosine ?? 0;
  // A question that the text itself asks is answered by what follows it, as a whole.
  if (passage.kind === "qa") {
    const [start, end] = [passage.answerStart, passage.text.length];
    const held = words(passageMatched, 0);
    const about = { before: 0, leansOnBefore: false, mayAnswer: mayAnswer(passage.text.slice(start, end)) };
    const whole = { passage, start, end, matched: passageMatched, passageMatched, words: held, ...about };
    if (!likeness || !passageBest) return [whole];
    const cosine = Math.max(...likeness.cosines);
    return [{ ...whole, vectors: { best: passageBest, passageBest, cosine, passageCosine } }];
  }
  const tables = tablesOf(passage.text);
  const headMatched = (table: Table) =>
    spans.filter((span) => isHeadOf(table, span)).flatMap(({ matched }) => [...matched]);
  const headTerms = new Map(tables.map((table) => [table, headMatched(table)]));
  const isOnlyHeads = spans.every((span) => tables.some((table) => isHeadOf(table, span)));
  return spans.flatMap((span, index) => {
    const { start, end } = span;
    const table = tables.find((one) => one.start <= start && end <= one.end);
    // What a table's columns are called answers nothing by itself.
    if (table && isHeadOf(table, span) && !isOnlyHeads) return [];
    // A row says what its columns are called, too: so it is read, and so it is told.
    const matched = new Set([...span.matched, ...(table ? headTerms.get(table)! : [])]);
    const previous = passage.kind === "prose" ? (spans[index - 1]?.matched ?? []) : [];
    const before = weights.share([...previous].filter((term) => !matched.has(term)));
    const text = passage.text.slice(start, end);
    const leansOnBefore = before > 0 && opensWithPronoun(text, query.language);
    const about = { before, leansOnBefore, mayAnswer: mayAnswer(text) };
    const sentence = { passage, start, end, matched, passageMatched, words: words(matched, LEAD_SHARE), ...about };
    if (!likeness || !passageBest) return [sentence];
    const [best, cosine] = [likeness.best[index + 1]!, likeness.cosines[index + 1]!];
    return [{ ...sentence, vectors: { best, passageBest, cosine, passageCosine } }];
  });
}

/** Of the candidates after the first, the one that adds most: its own score, and where only words speak the weight that the first lacks. */
export function bestSecond(ranked: readonly Candidate[], evidence: Evidence): Candidate | undefined {
  const [first, ...others] = ranked;
  if (!first || first.hybrid) return others[0];
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
