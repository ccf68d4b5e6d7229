/**
 * node eval/fit-reading.ts FILE... [--out packages/reading/weights/shipped.json]: fits the confidence where only words
 * speak, and its thresholds, on files in SQuAD's format. Of each file, parts of several sizes are indexed and asked their
 * own questions and as many of another part's, and articles are asked with and without the passage that answers.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fitNamed, lexicalSignals, lexicalSignalsOf, rankCandidates } from "@caigun/reading";
import { type Asked, askLeftOut, askParts } from "./direct.ts";
import { type Example, fitLogistic, type LogisticFit } from "./logistic.ts";
import { containsGold, shareBelow, thresholdAt } from "./measures.ts";
import { readSquad } from "./squad.ts";

/** The share of answerable questions that each strictness refuses on the fitting data. */
const FALSE_REFUSALS = { low: 0.02, normal: 0.055, high: 0.1 };
/** Into how many parts the articles are cut, so that short texts are learned from as well as long ones. */
const PARTS = [2, 16];

interface Read extends Example {
  /** Whether the reply would answer: the text holds the answer, and the first sentence does. */
  isRight: boolean;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: "packages/reading/weights/shipped.json" } },
});
if (positionals.length === 0) throw new Error("Name the files to fit on: node eval/fit-reading.ts FILE...");

const files = positionals.map((path) => {
  const squad = readSquad(path);
  const halves = readAll(askParts(squad, PARTS[0]!));
  const smaller = PARTS.slice(1).flatMap((parts) => readAll(askParts(squad, parts)));
  return { path, halves, all: [...halves, ...smaller, ...readAll(askLeftOut(squad))] };
});
const examples = files.flatMap(({ all }) => all);
const fit = calibrated(fitLogistic(examples), examples);
const round = (value: number) => Number(value.toFixed(4));
const bias = round(fit.bias);
const weights = fit.weights.map(round);
const confidence = ({ signals }: Example) =>
  1 / (1 + Math.exp(-signals.reduce((sum, signal, at) => sum + weights[at]! * signal, bias)));
const thresholds = Object.fromEntries(
  Object.entries(FALSE_REFUSALS).map(([strictness, share]) => [strictness, round(meanThresholdAt(share))]),
);

const fittedOn = files.map(({ path }) => ({
  name: basename(path),
  sha256: createHash("sha256").update(readFileSync(path)).digest("hex"),
}));
const named = Object.fromEntries(lexicalSignals.map((name, at) => [name, weights[at]]));
writeFileSync(values.out, `${JSON.stringify({ fittedOn, confidence: { bias, ...named }, thresholds }, null, 2)}\n`);
for (const { path, halves } of files) {
  console.log(basename(path));
  const [own, foreign] = [true, false].map((isOwn) =>
    halves.filter(({ isPositive }) => isPositive === isOwn).map(confidence),
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

function readAll(asked: readonly Asked[]): Read[] {
  return asked.flatMap(({ question, found, isForeign }) => {
    const best = rankCandidates(found, fitNamed("shipped"), question.question)[0];
    // Without a candidate a question is refused whatever the weights are.
    if (!best) return [];
    const signals = lexicalSignalsOf(best, found);
    const sentence = best.passage.text.slice(best.start, best.end);
    return {
      signals: lexicalSignals.map((name) => signals[name]),
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

/** The mean over the files, so that a large file whose questions are in the text's own words does not decide alone. */
function meanThresholdAt(falseRefusals: number): number {
  const own = files.map(({ halves }) => halves.filter(({ isPositive }) => isPositive).map(confidence));
  return own.reduce((sum, confidences) => sum + thresholdAt(confidences, falseRefusals), 0) / own.length;
}
