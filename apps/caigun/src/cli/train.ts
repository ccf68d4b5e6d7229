import { readFile } from "node:fs/promises";
import type { AdapterFacts, Learning } from "@caigun/contract";
import { SingleBar } from "cli-progress";
import { type Api, call, follow } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { apiOf } from "./installation.ts";
import { LossCurve } from "./loss-curve.ts";
import { print } from "./printing.ts";
import { selfCheckLines } from "./self-checks.ts";

type Options = { title: string; model: string; wait?: boolean; json?: boolean; apiKey?: string };
type Progress = {
  status: string;
  stage: string | null;
  progress: number;
  learning: Learning | null;
  failure: { stage: string; cause: string; fix: string } | null;
};

export async function train(files: string[], { title, model, wait, json, apiKey }: Options): Promise<void> {
  const texts = await Promise.all(files.map(readText));
  const api = await apiOf(apiKey);
  const started = await call(api, "trainModel", { body: { text: texts.join("\n\n"), title, model_name: model } });
  if (!wait && started.status !== "failed") {
    print(json, started, () => [
      `Training model ${started.id}; it ends by ${started.deadline}.`,
      "`npx caigun models` shows how far it is.",
    ]);
    return;
  }
  const end = await watch(api, started.event_id, { quiet: json === true });
  if (end.status !== "ready") {
    const { failure } = end;
    const why = failure ? `${failure.cause} ${failure.fix}` : "It was cancelled.";
    throw new CommandFailed(`The training ended as ${end.status}. ${why}`, exitCodes.failed, { ...started, ...end });
  }
  const { is_current, evaluation, base, adapter } = await call(api, "getModel", { params: { id: started.id } });
  print(json, { ...started, ...end, is_current, evaluation, base, adapter }, () => [
    is_current
      ? `Model ${started.id} is ready: \`npx caigun talk "..."\` asks it.`
      : `Model ${started.id} is ready, but another one was chosen to answer (see \`npx caigun models\`).`,
    ...selfCheckLines(evaluation),
    ...(adapter ? learnedLines(started.id, base, adapter) : []),
  ]);
}

async function readText(path: string): Promise<string> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed(`${path} can't be read (${error.code}).`, exitCodes.usage);
  });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new CommandFailed(
      `${path} is not text in UTF-8. Save it as plain text in UTF-8 and try again.`,
      exitCodes.usage,
    );
  }
}

/** What a language model learned of the text. */
function learnedLines(id: string, base: string | null, adapter: AdapterFacts): string[] {
  const { base_because: because, tokens, steps, held_out_loss_before: before, held_out_loss: after } = adapter;
  return [
    `It learned ${tokens} tokens on ${base} in ${steps} steps.${because === null ? "" : ` ${because}`}`,
    ...(before === null || after === null
      ? []
      : [`The loss of what it did not learn from fell from ${before.toFixed(2)} to ${after.toFixed(2)}.`]),
    `\`npx caigun export ${id} --out PATH\` takes the adapter away.`,
  ];
}

/** How the learning goes, beside the bar: numbers, and the losses so far as a curve. */
function learningLine({ step, steps, loss, held_out_loss, tokens_per_second, seconds_left }: Learning, curve: string) {
  const [nats, heldOut] = [loss?.toFixed(2) ?? "-", held_out_loss?.toFixed(2) ?? "-"];
  const left = seconds_left < 90 ? `${Math.round(seconds_left)} s` : `${Math.round(seconds_left / 60)} min`;
  const speed = `${Math.round(tokens_per_second)} tokens/s`;
  return `step ${step} of ${steps}, loss ${nats} ${curve} held out ${heldOut}, ${speed}, ${left} left`;
}

/** Follows a training to its end, with a bar on the terminal. */
async function watch(api: Api, eventId: string, { quiet }: { quiet: boolean }): Promise<Progress> {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {stage} | {duration_formatted}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Without a terminal a line now and then, so that a log shows that it goes on.
    noTTYOutput: !quiet,
    notTTYSchedule: 5_000,
  });
  if (!quiet) bar.start(100, 0, { stage: "queued" });
  const losses = new LossCurve();
  try {
    for await (const { event, data } of follow(api, "streamEvent", { params: { event_id: eventId } })) {
      const progress = data as Progress;
      const { stage, status, learning } = progress;
      if (learning) losses.add(learning);
      const shown = learning ? learningLine(learning, losses.drawn()) : (stage ?? status);
      if (!quiet) bar.update(Math.floor(progress.progress * 100), { stage: shown });
      if (event !== "progress") return progress;
    }
  } finally {
    if (!quiet) bar.stop();
  }
  throw new CommandFailed(
    "The server closed the connection before the training ended. `npx caigun models` shows how it went on.",
  );
}
