/**
 * node eval/fit-reading.ts FILE... [--keep] [--out packages/reading/weights/shipped.json]: fits the confidence where only
 * words speak, and its thresholds, on files in SQuAD's format. Of each file, parts of several sizes are indexed and asked
 * their own questions and as many of another part's, and articles are asked with and without the passage that answers.
 * With --keep the confidence and the thresholds stay as they stand in the file that it writes, and only `foreignLogOdds`
 * is worked out anew.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import {
  type Fit,
  fitNamed,
  foreignLogOddsOf,
  type LexicalSignals,
  lexicalSignals,
  lexicalSignalsOf,
  loweredBy,
  rankCandidates,
} from "@caigun/reading";
import { type Asked, askLeftOut, askParts } from "./direct.ts";
import { type Example, fitLogistic, type LogisticFit } from "./logistic.ts";
import { containsGold, shareBelow, thresholdAt } from "./measures.ts";
import { readSquad } from "./squad.ts";

/** The share of answerable questions that each strictness refuses on the fitting data. */
const FALSE_REFUSALS = { low: 0.02, normal: 0.055, high: 0.1 };
/** Into how many parts the articles are cut, so that short texts are learned from as well as long ones. */
const [HALVES, SMALL_PARTS] = [2, 16];
/** Values of foreignLogOdds that are tried, so that it can be seen what the chosen one is worth. */
const TRIED = [Number.NEGATIVE_INFINITY, -4.5, -4.25, -4.1, -4, -3.9, -3.75, -3.5, -3.25, -3];

type Weights = Fit["lexical"]["confidence"];

interface Read extends Example {
  /** Whether the reply would answer: the text holds the answer, and the first sentence does. */
  isRight: boolean;
  /** Of the index that was asked; one object for each. */
  foreignSignals: Readonly<Record<string, number>>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: "boolean", default: false },
    out: { type: "string", default: "packages/reading/weights/shipped.json" },
  },
});
if (positionals.length === 0) throw new Error("Name the files to fit on: node eval/fit-reading.ts FILE...");

const files = positionals.map((path) => {
  const squad = readSquad(path);
  const halves = readAll(askParts(squad, HALVES));
  const small = readAll(askParts(squad, SMALL_PARTS));
  const leftOut = readAll(askLeftOut(squad));
  return { path, halves, small, leftOut, all: [...halves, ...small, ...leftOut] };
});
const examples = files.flatMap(({ all }) => all);
const fittedOn = files.map(({ path }) => ({
  name: basename(path),
  sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
}));
const round = (value: number, places = 4) => Number(value.toFixed(places));
const mean = (all: readonly number[]) => all.reduce((sum, one) => sum + one, 0) / all.length;

const kept = values.keep ? keptFrom(values.out) : undefined;
const weights: Weights = kept?.confidence ?? rounded(calibrated(fitLogistic(examples), examples));
const foreignOf = ({ foreignSignals }: Pick<Read, "foreignSignals">) => foreignLogOddsOf({ foreignSignals }, weights)!;
const foreignLogOdds = round(mean(files.map(({ small }) => meanOfIndexes(small))), 1);
const thresholds =
  kept?.thresholds ??
  Object.fromEntries(
    Object.entries(FALSE_REFUSALS).map(([strictness, share]) => [strictness, round(meanThresholdAt(share))]),
  );
writeFileSync(
  values.out,
  `${JSON.stringify({ fittedOn, confidence: weights, foreignLogOdds, thresholds }, null, 2)}\n`,
);
for (const { path, halves } of files) {
  console.log(basename(path));
  const [own, foreign] = [true, false].map((isOwn) =>
    halves.filter(({ isPositive }) => isPositive === isOwn).map((one) => confidence(one)),
  ) as [number[], number[]];
  for (const [strictness, threshold] of Object.entries(thresholds)) {
    const refused = (100 * shareBelow(foreign, threshold)).toFixed(1);
    const falsely = (100 * shareBelow(own, threshold)).toFixed(1);
    console.log(`  ${strictness}: below ${threshold} refuses ${refused} % of foreign, ${falsely} % of own questions`);
  }
}
console.log("confidence against the share that is right, in tenths:");
for (let tenth = 0; tenth < 10; tenth++) {
  const within = examples.filter((example) => Math.min(9, Math.floor(10 * confidence(example))) === tenth);
  const right = within.filter(({ isRight }) => isRight).length / Math.max(1, within.length);
  console.log(`  ${tenth / 10} to ${(tenth + 1) / 10}: ${(100 * right).toFixed(1)} % of ${within.length}`);
}
console.log(
  `foreignLogOdds ${foreignLogOdds}; what it might be, and for each file the log loss of a confidence raised by as much,`,
);
console.log(
  "% of own questions refused / of others answered; of small parts, then of articles alone (the others are hard):",
);
for (const tried of TRIED)
  for (const asked of ["small", "leftOut"] as const)
    console.log(`  ${tried} ${asked}: ${files.map((file) => told(file[asked], tried)).join(" | ")}`);

function readAll(asked: readonly Asked[]): Read[] {
  return asked.flatMap(({ question, found, isForeign }) => {
    const best = rankCandidates(found, fitNamed("shipped"), question.question)[0];
    // Without a candidate a question is refused whatever the weights are.
    if (!best) return [];
    const { foreignSignals } = found;
    if (!foreignSignals) throw new Error(`No questions about other things are written in ${found.query.language}.`);
    const signals = lexicalSignalsOf(best, found);
    const sentence = best.passage.text.slice(best.start, best.end);
    return {
      signals: lexicalSignals.map((name) => signals[name]),
      foreignSignals,
      isPositive: !isForeign,
      isRight: !isForeign && containsGold(sentence, question.answers),
    };
  });
}

/** Platt 1999: the probability that the reply answers, not only that the text does. */
function calibrated({ bias, weights }: LogisticFit, read: readonly Read[]): LogisticFit {
  const evidence = (example: Example) => example.signals.reduce((sum, one, at) => sum + weights[at]! * one, bias);
  const platt = fitLogistic(read.map((one) => ({ signals: [evidence(one)], isPositive: one.isRight })));
  const scale = platt.weights[0]!;
  return { bias: platt.bias + scale * bias, weights: weights.map((weight) => scale * weight) };
}

function rounded({ bias, weights }: LogisticFit): Weights {
  const named = Object.fromEntries(lexicalSignals.map((name, at) => [name, round(weights[at]!)]));
  return { bias: round(bias), ...(named as unknown as LexicalSignals) };
}

function keptFrom(path: string): Omit<Fit["lexical"], "foreignLogOdds"> {
  const { fittedOn: before, confidence, thresholds } = JSON.parse(readFileSync(path, "utf8"));
  if (JSON.stringify(before) !== JSON.stringify(fittedOn)) throw new Error(`${path} was not fitted on these files.`);
  return { confidence, thresholds };
}

/** `raised`: its log-odds by so much. */
function confidence(example: Read, raised = 0): number {
  const logOdds = lexicalSignals.reduce((sum, name, at) => sum + weights[name] * example.signals[at]!, weights.bias);
  return 1 / (1 + Math.exp(-logOdds - raised));
}

/** What a value of foreignLogOdds makes of some questions. A threshold lowered refuses what a confidence raised does. */
function told(read: readonly Read[], usual: number): string {
  if (read.length === 0) return "-";
  const raised = read.map((one) => ({ ...one, confidence: confidence(one, loweredBy(usual, foreignOf(one))) }));
  const loss = mean(raised.map(({ isRight, confidence }) => -Math.log(isRight ? confidence : 1 - confidence)));
  const [own, others] = [true, false].map((isOwn) => {
    const those = raised.filter(({ isPositive }) => isPositive === isOwn);
    return (
      100 *
      shareBelow(
        those.map(({ confidence }) => confidence),
        thresholds.normal!,
      )
    );
  }) as [number, number];
  return `${loss.toFixed(4)}, ${own.toFixed(1)} / ${(100 - others).toFixed(1)}`;
}

/** Each index counts once, however many questions it was asked. */
function meanOfIndexes(read: readonly Read[]): number {
  const indexes = [...new Set(read.map(({ foreignSignals }) => foreignSignals))];
  return mean(indexes.map((foreignSignals) => foreignOf({ foreignSignals })));
}

/** The mean over the files, so that a large file whose questions are in the text's own words does not decide alone. */
function meanThresholdAt(falseRefusals: number): number {
  const own = files.map(({ halves }) => halves.filter(({ isPositive }) => isPositive).map((one) => confidence(one)));
  return own.reduce((sum, confidences) => sum + thresholdAt(confidences, falseRefusals), 0) / own.length;
}
