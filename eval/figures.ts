import { areaUnderCurve, shareBelow, thresholdAt } from "./measures.ts";
import type { Outcome } from "./outcomes.ts";
import type { Role } from "./parts.ts";

const FALSE_REFUSALS = 0.05;

/** Shares (0..1), areas under a curve and mean lengths (code points); null where the file or the parts asked for can't give it. */
export interface Figures {
  passage_1: number | null;
  passage_5: number | null;
  contains_1: number | null;
  contains_2: number | null;
  contains_1_typos: number | null;
  citation_exact: number | null;
  cites_gold: number | null;
  auc_foreign: number | null;
  auc_hard: number | null;
  refused_at_5: number | null;
  refused_hard_at_5: number | null;
  false_refusals: number | null;
  foreign_answered: number | null;
  hard_answered: number | null;
  reply_chars_1: number | null;
  reply_chars_2: number | null;
  gold_sentence_chars: number | null;
  passage_chars: number | null;
}

export function figuresOf(outcomes: readonly Outcome[]): Figures {
  const of = (role: Role) => outcomes.filter((outcome) => outcome.role === role);
  const [own, typo, trained, foreign, kept, hard] = [
    of("own"),
    of("typo"),
    of("trained"),
    of("foreign"),
    of("kept"),
    of("hard"),
  ];
  const placed = own.filter(({ passageRank }) => passageRank !== null);
  const holding = own.filter(({ contains2 }) => contains2);
  const citations = sum(own.map((outcome) => outcome.citations));
  return {
    passage_1: share(placed, ({ passageRank }) => passageRank! <= 1),
    passage_5: share(placed, ({ passageRank }) => passageRank! <= 5),
    contains_1: share(own, ({ contains1 }) => contains1),
    contains_2: share(own, ({ contains2 }) => contains2),
    contains_1_typos: share(typo, ({ contains1 }) => contains1),
    citation_exact: citations === 0 ? null : sum(own.map(({ exactCitations }) => exactCitations)) / citations,
    cites_gold: share(holding, ({ citesGold }) => citesGold),
    auc_foreign: separation(trained, foreign),
    auc_hard: separation(kept, hard),
    refused_at_5: refusedAtFalseRefusals(trained, foreign),
    refused_hard_at_5: refusedAtFalseRefusals(kept, hard),
    false_refusals: share(trained, ({ answered }) => !answered),
    foreign_answered: share(foreign, ({ answered }) => answered),
    hard_answered: share(hard, ({ answered }) => answered),
    reply_chars_1: mean(own.map(({ chars1 }) => chars1)),
    reply_chars_2: mean(own.map(({ chars2 }) => chars2)),
    gold_sentence_chars: mean(own.map(({ goldSentenceChars }) => goldSentenceChars).filter((chars) => chars !== null)),
    passage_chars: mean(own.flatMap(({ passageChars }) => passageChars)),
  };
}

const confidences = (outcomes: readonly Outcome[]) => outcomes.map(({ confidence }) => confidence);

function separation(answerable: readonly Outcome[], others: readonly Outcome[]): number | null {
  if (answerable.length === 0 || others.length === 0) return null;
  return areaUnderCurve(confidences(answerable), confidences(others));
}

function refusedAtFalseRefusals(answerable: readonly Outcome[], others: readonly Outcome[]): number | null {
  if (answerable.length === 0 || others.length === 0) return null;
  return shareBelow(confidences(others), thresholdAt(confidences(answerable), FALSE_REFUSALS));
}

function share<One>(all: readonly One[], holds: (one: One) => boolean): number | null {
  return all.length === 0 ? null : all.filter(holds).length / all.length;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
const mean = (numbers: readonly number[]) => (numbers.length === 0 ? null : sum(numbers) / numbers.length);
