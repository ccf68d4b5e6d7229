/**
 * npm run eval -- FILE... [--json]: the quality of the product as people use it, on files in SQuAD's format. It starts a
 * server of its own, trains on the file's paragraphs joined by a blank line, and asks every question over HTTP.
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Reply } from "@caigun/contract";
import { SingleBar } from "cli-progress";
import { type RunningCaigun, startCaigun, trained } from "../testkit/caigun.ts";
import { asDocument } from "./direct.ts";
import { areaUnderCurve, containsGold, shareBelow, thresholdAt } from "./measures.ts";
import { readSquad, type SquadFile, type SquadQuestion } from "./squad.ts";

const FALSE_REFUSALS = 0.05;
/** Questions under way at a time: enough to keep two cores busy. */
const ASKED_AT_ONCE = 8;

type Asked = { question: SquadQuestion; isForeign: boolean; reply: Reply<"converse"> };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
});
if (positionals.length === 0) {
  console.error("usage: npm run eval -- FILE... [--json]");
  process.exit(2);
}

const caigun = await startCaigun({ env: { CAIGUN_LOG_LEVEL: "warn" } });
try {
  const reports: Record<string, Record<string, number>> = {};
  for (const path of positionals) {
    const report = await evaluate(caigun, readSquad(path), basename(path));
    reports[basename(path)] = report;
    if (!values.json) for (const line of lines(basename(path), report)) console.log(line);
  }
  if (values.json) console.log(JSON.stringify(positionals.length === 1 ? Object.values(reports)[0] : reports));
} finally {
  await caigun.remove();
}

async function evaluate(caigun: RunningCaigun, file: SquadFile, name: string): Promise<Record<string, number>> {
  const start = performance.now();
  const bar = new SingleBar({
    format: `${name} {bar} {value}/{total} questions`,
    stream: process.stderr,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 10_000,
  });
  bar.start(3 * file.questions.length, 0);
  const own = await ask(caigun, file, () => true, bar);
  const halves = [
    ...(await ask(caigun, file, (article) => article % 2 === 0, bar)),
    ...(await ask(caigun, file, (article) => article % 2 === 1, bar)),
  ];
  bar.stop();

  const codePoints = [...asDocument(file, () => true)];
  const share = (asked: Asked[], holds: (one: Asked) => boolean) =>
    asked.filter(holds).length / Math.max(1, asked.length);
  const contains = (text: (reply: Asked["reply"]) => string | undefined) =>
    share(own, ({ question, reply }) => containsGold(text(reply) ?? "", question.answers));
  const answerable = halves.filter(({ isForeign }) => !isForeign);
  const foreign = halves.filter(({ isForeign }) => isForeign);
  const confidences = (asked: Asked[]) => asked.map(({ reply }) => reply.confidence ?? 0);
  const threshold = thresholdAt(confidences(answerable), FALSE_REFUSALS);
  return {
    questions: file.questions.length,
    contains_1: contains(({ candidate }) => candidate?.citations[0]?.quote),
    contains_2: contains(({ candidate }) => candidate?.text),
    contains_as_sent: contains(({ text }) => text),
    citation_exact: share(own, ({ reply }) =>
      reply.citations.every(({ start, end, quote }) => codePoints.slice(start, end).join("") === quote),
    ),

    auc_foreign: areaUnderCurve(confidences(answerable), confidences(foreign)),
    refused_at_5: shareBelow(confidences(foreign), threshold),
    false_refusals: share(answerable, ({ reply }) => !reply.answered),
    foreign_answered: share(foreign, ({ reply }) => reply.answered),
    seconds: (performance.now() - start) / 1000,
  };
}

/** Trains a new model on some articles and asks it every question. */
async function ask(
  caigun: RunningCaigun,
  file: SquadFile,
  includes: (article: number) => boolean,
  bar: SingleBar,
): Promise<Asked[]> {
  const response = await caigun.call("/api/external/chatbot/train", {
    method: "POST",
    json: { title: "Evaluation", text: asDocument(file, includes) },
  });
  const model = await trained(caigun, (await response.json()) as { id: string; event_id: string });
  if (model.status !== "ready") throw new Error(`The training ended as ${JSON.stringify(model)}`);
  const asked: Asked[] = [];
  const remaining = file.questions.entries();
  await Promise.all(
    Array.from({ length: ASKED_AT_ONCE }, async () => {
      for (const [at, question] of remaining) {
        asked[at] = {
          question,
          isForeign: !includes(question.article),
          reply: await converse(caigun, question.question),
        };
        bar.increment();
      }
    }),
  );
  return asked;
}

async function converse(caigun: RunningCaigun, text: string): Promise<Reply<"converse">> {
  const response = await caigun.call("/api/external/chatbot/conversation?explain=true", {
    method: "POST",
    headers: { uid: "evaluation" },
    json: { text },
  });
  if (response.status !== 200) throw new Error(await response.text());
  return (await response.json()) as Reply<"converse">;
}

function lines(name: string, report: Record<string, number>): string[] {
  return [
    name,
    ...Object.entries(report).map(([figure, value]) => `  ${figure.padEnd(18)} ${Number(value.toFixed(4))}`),
  ];
}
