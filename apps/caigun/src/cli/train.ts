import type { AdapterFacts } from "@caigun/contract";
import { call } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { hint } from "./hints.ts";
import { apiOf } from "./installation.ts";
import { readPlainText } from "./plain-text.ts";
import { inThisProgram, print } from "./printing.ts";
import { selfCheckLines } from "./self-checks.ts";
import { standInLine } from "./training-shown.ts";
import { watchTraining } from "./watch-training.ts";

type Options = { title: string; model: string; wait?: boolean; json?: boolean; apiKey?: string };

export async function train(files: string[], { title, model, wait, json, apiKey }: Options): Promise<void> {
  const texts = await Promise.all(files.map(readPlainText));
  const api = await apiOf(apiKey);
  const started = await call(api, "trainModel", { body: { text: texts.join("\n\n"), title, model_name: model } });
  if (!wait && started.status !== "failed") {
    print(json, started, () => [
      `Training model ${started.id}; it ends by ${started.deadline}.`,
      `${hint("models", apiKey)} shows how far it is.`,
    ]);
    return;
  }
  const end = await watchTraining(api, started, { quiet: json === true, apiKey });
  const { status, failure } = end;
  if (status !== "ready") {
    const told = failure
      ? `The training failed. ${failure.cause} ${inThisProgram(failure.fix)}`
      : `The training was ${status}.`;
    throw new CommandFailed(told, exitCodes.failed, { ...started, ...end });
  }
  const { is_current, evaluation, base, adapter } = await call(api, "getModel", { params: { id: started.id } });
  print(json, { ...started, ...end, is_current, evaluation, base, adapter }, () => [
    is_current
      ? `Model ${started.id} is ready: ${hint('talk "..."', apiKey)} asks it.`
      : `Model ${started.id} is ready, but another one answers, which was chosen or was trained after it; ${hint(`models use ${started.id}`, apiKey)} chooses this one.`,
    ...selfCheckLines(evaluation),
    ...(adapter ? learnedLines(started.id, base, adapter, apiKey) : []),
  ]);
}

/** What a language model learned of the text. */
function learnedLines(id: string, base: string | null, adapter: AdapterFacts, apiKey: string | undefined): string[] {
  const { base_because, tokens, steps, held_out_loss_before: before, held_out_loss: after } = adapter;
  const standIn = standInLine({ base: base ?? "", base_because });
  return [
    `It learned ${tokens} tokens on ${base} in ${steps} steps.`,
    ...(standIn ? [standIn] : []),
    ...(before === null || after === null
      ? []
      : [`The loss of what it did not learn from fell from ${before.toFixed(2)} to ${after.toFixed(2)}.`]),
    `${hint(`export ${id} --out PATH`, apiKey)} takes the adapter away.`,
  ];
}
