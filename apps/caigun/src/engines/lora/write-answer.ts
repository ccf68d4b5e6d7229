import { LlamaCompletion, type LlamaContextSequence } from "node-llama-cpp";
import type { Sampling } from "./messages.ts";
import { fittingPassages, groundedPrompt, passageTokens } from "./prompt.ts";

export type Question = {
  question: string;
  /** The best first; with none the model says what it knows by heart. */
  passages: readonly string[];
  sampling?: Sampling;
};

const LIKELIEST: Sampling = { temperature: 0, topP: 1 };

const MOST_TOKENS = 120;

/** Has a model go on from the form that adapters learn; `report` gets the answer in pieces. Throws the signal's reason. */
export async function writeAnswer(
  sequence: LlamaContextSequence,
  { question, passages, sampling = LIKELIEST }: Question,
  report: (piece: string) => void,
  signal?: AbortSignal,
): Promise<{ stopReason: string }> {
  const { model } = sequence;
  const fitting = fittingPassages(
    passages,
    passageTokens(sequence.context.contextSize),
    (text) => model.tokenize(text).length,
  );
  const prompt = model.tokenize(groundedPrompt(question, fitting));
  const begin = model.tokens.shouldPrependBosToken && model.tokens.bos !== null ? [model.tokens.bos] : [];
  const completion = new LlamaCompletion({ contextSequence: sequence, autoDisposeSequence: false });
  const { metadata } = await completion.generateCompletionWithMeta([...begin, ...prompt], {
    ...(signal && { signal }),
    maxTokens: MOST_TOKENS,
    ...sampling,
    // An answer is one paragraph: a base that learned little would go on with a question of its own.
    customStopTriggers: ["\n\n", "\nQuestion:", "\nText:"],
    onTextChunk: report,
  });
  return { stopReason: metadata.stopReason };
}
