import { type LexicalSignals, lexicalSignals, lexicalSignalsOf } from "./confidence.ts";
import type { Evidence } from "./evidence.ts";
import { fitNamed } from "./fits.ts";
import { rankCandidates } from "./ranking.ts";

const SILENCE: LexicalSignals = { sentence: 0, passage: 0, found: 0, contentWords: 0, background: 0, length: 0 };

/**
 * The means of what words say where a text is asked about other things: how much of any question it holds by chance.
 * Of the signals and not of a confidence, so that they stay true when other weights are learned; as the log-odds are
 * linear in them, the log-odds of the means are the mean log-odds. A question that nothing is found for counts as one
 * that no word of is held. Undefined where nothing was asked.
 */
export function meanForeignSignals(
  asked: readonly { question: string; evidence: Evidence }[],
): LexicalSignals | undefined {
  if (asked.length === 0) return undefined;
  const seen = asked.map(({ question, evidence }) => {
    const [best] = rankCandidates(evidence, fitNamed("shipped"), question);
    return best ? lexicalSignalsOf(best, evidence) : SILENCE;
  });
  const mean = (name: keyof LexicalSignals) => seen.reduce((sum, one) => sum + one[name], 0) / seen.length;
  return Object.fromEntries(lexicalSignals.map((name) => [name, mean(name)])) as unknown as LexicalSignals;
}
