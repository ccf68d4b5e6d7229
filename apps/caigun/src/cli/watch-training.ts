import { SingleBar } from "cli-progress";
import { type Api, follow } from "./api.ts";
import { CommandFailed, exitCodes } from "./failures.ts";
import { hint } from "./hints.ts";
import { type Progress, TrainingShown } from "./training-shown.ts";

type Started = { id: string; event_id: string };

/** Moves a terminal's cursor to the beginning of the line and clears it: a bar stands there. */
const OVER_THE_BAR = "\r\u001b[K";

/** Follows a training to its end, with a bar on the terminal. Ctrl-C ends the following alone, and says so. */
export async function watchTraining(
  api: Api,
  started: Started,
  { quiet, apiKey }: { quiet: boolean; apiKey: string | undefined },
): Promise<Progress> {
  const bar = new SingleBar({
    format: "{bar} {percentage}% | {stage} | {duration_formatted}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Its own handler would end the process before what Ctrl-C means here is said.
    gracefulExit: false,
    // Without a terminal a line now and then, so that a log shows that it goes on.
    noTTYOutput: !quiet,
    notTTYSchedule: 5_000,
  });
  const stopped = new AbortController();
  const stop = () => stopped.abort();
  // Not `once`: one Ctrl-C can arrive twice, from the terminal and handed on.
  process.on("SIGINT", stop).on("SIGTERM", stop);
  if (!quiet) bar.start(100, 0, { stage: "queued" });
  try {
    const end = await followToEnd(api, started.event_id, stopped.signal, (progress, beside, line) => {
      if (quiet) return;
      if (line) process.stderr.write(`${process.stderr.isTTY ? OVER_THE_BAR : ""}${line}\n`);
      bar.update(Math.floor(progress.progress * 100), { stage: beside });
    });
    process.off("SIGINT", stop).off("SIGTERM", stop);
    if (end) return end;
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
  } finally {
    if (!quiet) bar.stop();
  }
  if (stopped.signal.aborted)
    throw new CommandFailed(
      `The training goes on without being watched. ${hint("models", apiKey)} shows how far it is, ${hint(`models cancel ${started.id}`, apiKey)} ends it.`,
      exitCodes.failed,
      started,
    );
  throw new CommandFailed(
    `The server closed the connection before the training ended. ${hint("models", apiKey)} shows how it went on.`,
  );
}

/** The last event of the stream; undefined where the stream breaks off before it. */
async function followToEnd(
  api: Api,
  eventId: string,
  signal: AbortSignal,
  show: (progress: Progress, beside: string, line: string | undefined) => void,
): Promise<Progress | undefined> {
  const shown = new TrainingShown();
  for await (const { event, data } of follow(api, "streamEvent", { params: { event_id: eventId }, signal })) {
    const progress = data as Progress;
    const { beside, line } = shown.after(progress);
    show(progress, beside, line);
    if (event !== "progress") return progress;
  }
  return undefined;
}
