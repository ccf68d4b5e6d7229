import { defaultSettings, type TrainingSettings } from "@caigun/lora";

/** T: room for the passages, the question and the answer of a grounded sample. */
const LENGTH = 512;
const BATCH = 2;
/** Below this there is nothing to learn but to repeat it. */
export const LEAST_TOKENS = 256;
/** Small texts are read several times over, large ones once. */
const MOST_EPOCHS = 12;
/** What goes through the model at the most, where the text itself is not longer: eight minutes at 250 tokens a second, and what is held out takes its time too. */
const TOKENS_OF_A_SMALL_TEXT = 120_000;
const MOST_TOKENS = 1_000_000;
const EVALUATIONS = 8;

/** T on a base that sees so many tokens at a time. */
export function sequenceLength(contextLength: number): number {
  return Math.min(LENGTH, contextLength);
}

/** Parameters of the bases that these numbers are for; through one of twice as many goes half as much in the same time. */
const USUAL_PARAMETERS = 135e6;

/**
 * The settings for a text and its samples, by the tokens that one epoch of them has, in sequences of `length` tokens, on
 * a base of so many parameters.
 */
export function planFor(epochTokens: number, parameters: number, length: number, seed: number): TrainingSettings {
  const share = Math.min(1, USUAL_PARAMETERS / parameters);
  const most = share * Math.min(Math.max(TOKENS_OF_A_SMALL_TEXT, epochTokens), MOST_TOKENS);
  const tokens = Math.min(MOST_EPOCHS * epochTokens, most);
  const steps = Math.max(1, Math.round(tokens / (BATCH * length)));
  const every = Math.max(1, Math.ceil(steps / EVALUATIONS));
  return {
    ...defaultSettings,
    length,
    batch: BATCH,
    steps,
    evaluateEvery: every,
    checkpointEvery: every,
    seed,
  };
}

/** Milliseconds that a training of a text of so many bytes may take, on a base of the usual size or, with its fewer tokens, a larger one. */
export function learningMs(bytes: number): number {
  const tokens = Math.max(TOKENS_OF_A_SMALL_TEXT, Math.min(bytes / 2, MOST_TOKENS));
  return (tokens / SLOWEST_TOKENS_PER_SECOND) * 1_000;
}

/** Of a base of the usual size, on a slow machine. */
const SLOWEST_TOKENS_PER_SECOND = 60;
