import type { Evaluation, SelfCheck } from "@caigun/contract";

/** How many of the questions made from the text a model answers, such as "77 of 80". */
export function answeredShare({ sentences, sentences_found, clozes, clozes_answered }: SelfCheck): string {
  return `${sentences_found + clozes_answered} of ${sentences + clozes}`;
}

export function refusedShare({ foreign, foreign_refused }: SelfCheck): string {
  return `${foreign_refused} of ${foreign}`;
}

/** What a training found out about its model, beside what the model before it reached; nothing where it asked nothing. */
export function selfCheckLines(evaluation: Evaluation | null): string[] {
  const check = evaluation?.self_check;
  if (!check) return [];
  const previous = evaluation.previous;
  const before = (share: (check: SelfCheck) => string) => (previous ? ` (before: ${share(previous)})` : "");
  return [
    ...(check.sentences + check.clozes > 0
      ? [`It answers ${answeredShare(check)} questions made from your text${before(answeredShare)}.`]
      : []),
    ...(check.foreign > 0
      ? [`It refuses ${refusedShare(check)} questions about other things${before(refusedShare)}.`]
      : []),
  ];
}
