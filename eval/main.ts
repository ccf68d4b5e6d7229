/**
 * npm run eval -- FILE... [--json] [--only PART,...]: the quality of the product as people use it, on files in SQuAD's
 * format. It starts a server of its own, trains models on the file's paragraphs joined by a blank line, and asks over
 * HTTP; docs/evaluation.md says what each figure means. Exit code 1: it failed; 2: it can't be used as written.
 */
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { makeHome } from "../testkit/caigun.ts";
import { AskingFailed, askModels, Chatbots } from "./asking.ts";
import { intervalsOf } from "./bootstrap.ts";
import { figuresOf } from "./figures.ts";
import { chooseFits, NoFit, namesOf } from "./fits.ts";
import { type Part, parts, plan } from "./parts.ts";
import { lines, type Report } from "./printing.ts";
import { NotSquad, readSquad, type SquadFile } from "./squad.ts";

const USAGE = `usage: npx caigun eval FILE... [--json] [--only PART,...] (or npm run eval -- FILE...)   PART: ${parts.join(", ")}`;
const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const;

class BadUsage extends Error {
  override name = "BadUsage";
}

const interrupted = new AbortController();
// The server gets the terminal's Ctrl-C as well; what is left is to remove its folder.
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => interrupted.abort());

try {
  const { paths, only, json } = readArguments();
  const isAlone = (path: string) => paths.filter((other) => basename(other) === basename(path)).length === 1;
  const files = paths.map((path) => ({ name: isAlone(path) ? basename(path) : path, file: readSquad(path) }));
  const reports: Record<string, Report> = {};
  for (const { name, file } of files) {
    reports[name] = await evaluate(file, name, only);
    if (!json) for (const line of lines(name, reports[name])) console.log(line);
  }
  if (json) console.log(JSON.stringify(files.length === 1 ? Object.values(reports)[0] : reports));
} catch (error) {
  process.exitCode = explain(error);
}

function readArguments(): { paths: string[]; only: Set<Part>; json: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, only: { type: "string", default: parts.join() } },
    });
    if (positionals.length === 0) throw new Error("Name a file in SQuAD's format.");
    const only = values.only.split(",").map((given) => {
      const part = parts.find((part) => part === given.trim());
      if (!part) throw new Error(`There is no part "${given.trim()}".`);
      return part;
    });
    return { paths: positionals, only: new Set(only), json: values.json };
  } catch (error) {
    throw new BadUsage(`${(error as Error).message}\n${USAGE}`);
  }
}

async function evaluate(file: SquadFile, name: string, only: ReadonlySet<Part>): Promise<Report> {
  const start = performance.now();
  const runs = chooseFits(file.sha256).map(({ fit, asks }) => ({ fit, asks, plans: plan(file, only, asks) }));
  const plans = runs.flatMap(({ plans }) => plans);
  const texts = new Set<string>();
  const textsAskedAgain = new Set<string>();
  for (const { text } of plans) (texts.has(text.sha256) ? textsAskedAgain : texts).add(text.sha256);
  const steps = texts.size + plans.reduce((total, { askings }) => total + askings.length, 0);
  const bar = new SingleBar({
    format: `${name} {bar} {percentage} % | {value} of {total} trainings and questions | {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
  });
  // One for all runs: models that were made in one, and what was worked out for their texts, serve the next.
  const home = await makeHome();
  const chatbots = new Chatbots(textsAskedAgain);
  bar.start(steps, 0);
  try {
    const outcomes = [];
    const retrievals = new Set<string>();
    for (const { fit, plans } of runs) {
      if (plans.length === 0) continue;
      const asked = await askModels(plans, {
        home,
        weights: fit.name,
        chatbots,
        signal: interrupted.signal,
        tick: () => bar.increment(),
      });
      outcomes.push(...asked.outcomes);
      retrievals.add(asked.retrieval);
    }
    return {
      ...figuresOf(outcomes),
      questions: file.questions.length,
      seconds: Number(((performance.now() - start) / 1000).toFixed(1)),
      weights: namesOf(runs),
      retrieval: [...retrievals].join(" and "),
      intervals: intervalsOf(outcomes),
    };
  } finally {
    bar.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** Prints why it failed, with --json as one object, and returns the exit code. */
function explain(error: unknown): number {
  const [exitCode, message] = diagnosis(error);
  if (process.argv.includes("--json")) console.log(JSON.stringify({ error: message }));
  else console.error(message);
  return exitCode;
}

function diagnosis(error: unknown): [exitCode: number, message: string] {
  if (interrupted.signal.aborted) return [exitCodes.interrupted, "Interrupted."];
  if (!(error instanceof Error)) return [exitCodes.failed, String(error)];
  if (error instanceof BadUsage || error instanceof NotSquad) return [exitCodes.usage, error.message];
  const isForeseen = error instanceof AskingFailed || error instanceof NoFit;
  return [exitCodes.failed, `The evaluation failed. ${isForeseen ? error.message : error.stack}`];
}
