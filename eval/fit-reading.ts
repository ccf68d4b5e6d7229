/**
 * node eval/fit-reading.ts FILE... [--out packages/reading/weights/shipped.json]: fits the confidence and its thresholds on
 * files in SQuAD's format. Of each file, half the articles are indexed and all questions asked, then the other half.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fitNamed, rankCandidates, signalsOf } from "@caigun/reading";
import { askHalves } from "./direct.ts";
import { type Example, fitLogistic } from "./logistic.ts";
import { shareBelow, thresholdAt } from "./measures.ts";
import { readSquad } from "./squad.ts";

/** The share of answerable questions that each strictness refuses on the fitting data. */
const FALSE_REFUSALS = { low: 0.02, normal: 0.05, high: 0.1 };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: "packages/reading/weights/shipped.json" } },
});
if (positionals.length === 0) throw new Error("Name the files to fit on: node eval/fit-reading.ts FILE...");

const examples: Example[] = [];
const fittedOn: { name: string; sha256: string }[] = [];
for (const path of positionals) {
  fittedOn.push({ name: basename(path), sha256: createHash("sha256").update(readFileSync(path)).digest("hex") });
  for (const { found, isForeign } of askHalves(readSquad(path))) {
    const best = rankCandidates(found, fitNamed("shipped"))[0];
    // Without a candidate a question is refused whatever the weights are.
    if (!best) continue;
    const { sentence, passage } = signalsOf(best, found);
    examples.push({ signals: [sentence, passage], isPositive: !isForeign });
  }
}

const fit = fitLogistic(examples);
const round = (value: number) => Number(value.toFixed(4));
const [sentence, passage] = fit.weights.map(round) as [number, number];
const bias = round(fit.bias);
const confidence = (example: Example) =>
  1 / (1 + Math.exp(-(bias + sentence * example.signals[0]! + passage * example.signals[1]!)));
const answerable = examples.filter((example) => example.isPositive).map(confidence);
const foreign = examples.filter((example) => !example.isPositive).map(confidence);
const thresholds = Object.fromEntries(
  Object.entries(FALSE_REFUSALS).map(([strictness, share]) => [strictness, round(thresholdAt(answerable, share))]),
);

writeFileSync(
  values.out,
  `${JSON.stringify({ fittedOn, confidence: { bias, sentence, passage }, thresholds }, null, 2)}\n`,
);
for (const [strictness, threshold] of Object.entries(thresholds)) {
  const refused = (100 * shareBelow(foreign, threshold)).toFixed(1);
  const falsely = (100 * shareBelow(answerable, threshold)).toFixed(1);
  console.log(`${strictness}: below ${threshold} refuses ${refused} % of foreign, ${falsely} % of own questions`);
}
