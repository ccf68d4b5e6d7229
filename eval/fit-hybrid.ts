/**
 * node eval/fit-hybrid.ts MODEL.onnx FILE [--out ...] [--beside WEIGHTS.json] [--ranking-of WEIGHTS.json]: fits how candidates
 * are ranked and how sure a reply is where words and MiniLM's vectors both speak, on a file in SQuAD's format; once on all
 * of it, and for each fifth of the articles once without it, so that the file itself can be evaluated. Of weights fitted
 * earlier that are named by --beside, the folds are reported too; of those named by --ranking-of, how candidates are ranked
 * is taken over, fold by fold.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Found } from "@caigun/passages";
import {
  type Candidate,
  confidenceSignals,
  type DescribedCandidate,
  describeCandidates,
  type HybridSignals,
  type HybridWeights,
  hybridConfidenceOf,
  hybridScore,
  hybridSignals,
  metTokensOf,
  signalsOf,
  tokenWeightsOf,
} from "@caigun/reading";
import { EmbeddedSearch } from "./embedded.ts";
import { fitRanking } from "./fit-ranking.ts";
import { fitLogistic } from "./logistic.ts";
import { areaUnderCurve, containsGold, shareBelow, thresholdAt } from "./measures.ts";
import { type Asking, plan, type Role } from "./parts.ts";
import { readSquad } from "./squad.ts";

const FOLDS = 5;
const READ_PASSAGES = 10;
/** The share of answerable questions that each strictness refuses, where they were left out of the fit. */
const FALSE_REFUSALS = { low: 0.02, normal: 0.04, high: 0.1 };

/** How much the weights of a vector's dimensions are held down: there are hundreds of them, and a thousand questions. */
const MET_TOKEN_RIDGE = 0.08;

interface Example {
  asking: Asking;
  found: Found;
  candidates: DescribedCandidate[];
  isRight: boolean[];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "packages/reading/weights/all-minilm-l6-v2-int8.json" },
    beside: { type: "string" },
    "ranking-of": { type: "string" },
  },
});
const [model, path] = positionals;
if (!model || !path) throw new Error("usage: node eval/fit-hybrid.ts MODEL.onnx FILE");
const search = await EmbeddedSearch.open(model);
const examples = await examplesOf(path);
await search.close();

interface WeightsFile {
  fittedOn: { name: string; sha256: string }[];
  embedder: { name: string; digest: string };
  whole: HybridWeights;
  folds: HybridWeights[];
}
const readWeights = (file: string) => JSON.parse(readFileSync(file, "utf8")) as WeightsFile;

if (values.beside) {
  console.log(values.beside);
  report(readBy(readWeights(values.beside).folds));
}
const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
const earlier = values["ranking-of"] ? readWeights(values["ranking-of"]) : undefined;
if (earlier && earlier.embedder.digest !== search.digest)
  throw new Error(`${values["ranking-of"]} was fitted on another embedder's vectors.`);
if (earlier && !(earlier.fittedOn.length === 1 && earlier.fittedOn[0]!.sha256 === sha256))
  throw new Error(`${values["ranking-of"]} was fitted on other data: its folds may have seen what these hold out.`);
const whole = fit(examples, earlier?.whole);
const folds = Array.from({ length: FOLDS }, (_, fold) =>
  fit(
    examples.filter((example) => foldOf(example) !== fold),
    earlier?.folds[fold],
  ),
);
console.log("fitted now");
report(readBy(folds));
const embedder = { name: "all-minilm-l6-v2-int8", digest: search.digest };
const written = { fittedOn: [{ name: basename(path), sha256 }], embedder, whole, folds };
writeFileSync(values.out, `${JSON.stringify(written).replaceAll(/(?<=[\]}]),(?=["{])|(?<=\{)(?=")/g, "$&\n")}\n`);

function foldOf({ asking }: Example): number {
  return asking.question.article % FOLDS;
}

/** Another division of the articles, which cuts those outside of each fold into parts that are about as large. */
function innerFoldOf({ asking }: Example): number {
  return Math.floor(asking.question.article / FOLDS) % FOLDS;
}

/** Each example with the weights that did not see its article. */
function readBy(folds: readonly HybridWeights[]): { example: Example; weights: HybridWeights }[] {
  return examples.map((example) => ({ example, weights: folds[foldOf(example)]! }));
}

async function examplesOf(file: string): Promise<Example[]> {
  const squad = readSquad(file);
  const made: Example[] = [];
  for (const { text, askings } of plan(squad, new Set(["reading", "foreign", "hard"]), () => true)) {
    const questions = askings.map(({ said }) => said);
    const found = await search.ask([{ id: "text", title: "text", text: text.text }], questions, READ_PASSAGES);
    for (const [at, asking] of askings.entries()) {
      const candidates = describeCandidates(found[at]!, asking.said);
      const isRight = candidates.map(({ passage, start, end }) =>
        containsGold(passage.text.slice(start, end), asking.question.answers),
      );
      made.push({ asking, found: found[at]!, candidates, isRight });
    }
  }
  return made;
}

type RankingWeights = Pick<HybridWeights, "ranking" | "token" | "tokenBias">;

function fit(from: readonly Example[], earlier?: RankingWeights): HybridWeights {
  const ranking = earlier
    ? { ranking: earlier.ranking, token: earlier.token, tokenBias: earlier.tokenBias }
    : rankingFittedOn(from);
  // A question about something else and one whose passage is missing weigh as much as those that the text answers.
  const examples = from
    .filter(({ asking, candidates }) => asking.role !== "own" && candidates.length > 0)
    .map((example) => bestOf(example, ranking));
  const fitted = confidenceFittedOn(examples);
  // What is fitted on these very examples is too sure of them: how sure to be is learned where each was left out.
  const leftOut = Array.from({ length: FOLDS }, (_, fold) => {
    const [others, these] = [false, true].map((isOf) => examples.filter((one) => (innerFoldOf(one) === fold) === isOf));
    const withoutThese = confidenceFittedOn(others!);
    return these!.map((one) => ({ ...one, logOdds: logOddsOf(hybridConfidenceOf(one.best, one.found, withoutThese)) }));
  }).flat();
  // Calibrated (Platt 1999): the probability that the candidate answers, not only that the text does.
  const platt = fitLogistic(
    leftOut.map((one) => ({ signals: [one.logOdds], isPositive: isAnswerable(one) && one.isBestRight })),
  );
  const [scale] = platt.weights as [number];
  const confidence = roundedAll(mapped(fitted.confidence, (weight) => scale * weight));
  confidence.bias = round(platt.bias + scale * fitted.confidence.bias);
  const answerable = leftOut.filter(isAnswerable).map(({ logOdds }) => logistic(platt.bias + scale * logOdds));
  const thresholds = mapped(FALSE_REFUSALS, (share) => round(thresholdAt(answerable, share)));
  return { ...ranking, confidence, metToken: fitted.metToken.map(round), thresholds };
}

/** A question with the candidate that is ranked best. */
interface Judged extends Example {
  best: Candidate & { hybrid: HybridSignals };
  isBestRight: boolean;
}

/** Not yet calibrated. */
function confidenceFittedOn(examples: readonly Judged[]): Pick<HybridWeights, "confidence" | "metToken"> {
  const plainSignals = confidenceSignals.filter((name) => name !== "metTokens");
  const { weights, bias } = fitLogistic(
    examples.map((one) => {
      const signals = { ...one.best.hybrid, ...signalsOf(one.best, one.found) };
      const questionVectors = one.found.vectors!;
      const met = one.best.vectors
        ? metTokensOf(questionVectors, one.best.vectors.best)
        : questionVectors.mean.map(() => 0);
      return { signals: [...plainSignals.map((name) => signals[name]), ...met], isPositive: isAnswerable(one) };
    }),
    [...plainSignals.map(() => 0), ...examples[0]!.found.vectors!.mean.map(() => MET_TOKEN_RIDGE)],
  );
  const plain = Object.fromEntries(plainSignals.map((name, at) => [name, weights[at]!]));
  const confidence = { ...plain, metTokens: 1, bias } as HybridWeights["confidence"];
  return { confidence, metToken: weights.slice(plainSignals.length) };
}

function isAnswerable({ asking }: Example): boolean {
  return asking.role === "trained" || asking.role === "kept";
}

function rankingFittedOn(from: readonly Example[]): RankingWeights {
  const own = from.filter(({ asking, candidates }) => asking.role === "own" && candidates.length > 0);
  const { ranking, token, tokenBias } = fitRanking(
    own.map(({ found, candidates, isRight }) => ({ vectors: found.vectors!, candidates, isRight })),
  );
  return { ranking: roundedAll(ranking), token: token.map(round), tokenBias: round(tokenBias) };
}

function bestOf(example: Example, weights: RankingWeights): Judged & { isOneOfTwoRight: boolean } {
  const { found, candidates, isRight } = example;
  const tokenWeights = tokenWeightsOf(found.vectors!, weights);
  const scored = candidates
    .map((candidate, at) => ({ ...candidate, at, hybrid: hybridSignals(candidate, tokenWeights) }))
    .map((one) => ({ ...one, score: hybridScore(one.hybrid, weights.ranking) }))
    .sort((a, b) => b.score - a.score);
  const [first, second] = scored;
  const isBestRight = isRight[first!.at]!;
  const isOneOfTwoRight = isBestRight || (second !== undefined && isRight[second.at]!);
  return { ...example, best: first!, isBestRight, isOneOfTwoRight };
}

function logistic(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}

function logOddsOf(probability: number): number {
  return Math.log(probability / (1 - probability));
}

/** What weights say of articles that they did not see. */
function report(held: { example: Example; weights: HybridWeights }[]): void {
  const judged = held.map(({ example, weights }) => {
    const { role } = example.asking;
    if (example.candidates.length === 0)
      return { role, confidence: 0, isBestRight: false, isOneOfTwoRight: false, weights };
    const one = bestOf(example, weights);
    return { ...one, role, confidence: hybridConfidenceOf(one.best, one.found, weights), weights };
  });
  const of = (role: Role) => judged.filter((one) => one.role === role);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const share = <T>(all: T[], holds: (one: T) => boolean) => all.filter(holds).length / all.length;
  console.log(
    "contains, one / two sentences",
    percent(share(of("own"), (one) => one.isBestRight)),
    percent(share(of("own"), (one) => one.isOneOfTwoRight)),
  );
  for (const [own, other] of [
    ["trained", "foreign"],
    ["kept", "hard"],
  ] as const) {
    const [answerable, unanswerable] = [own, other].map((role) => of(role as Role).map(({ confidence }) => confidence));
    const threshold = thresholdAt(answerable!, 0.05);
    console.log(
      other,
      "AUC",
      areaUnderCurve(answerable!, unanswerable!).toFixed(4),
      "refused at 5 %",
      percent(shareBelow(unanswerable!, threshold)),
    );
    for (const strictness of ["low", "normal", "high"] as const) {
      const refuses = (one: (typeof judged)[number]) => one.confidence < one.weights.thresholds[strictness];
      console.log(
        `  ${strictness}: falsely refused`,
        percent(share(of(own), refuses)),
        "answered",
        percent(share(of(other), (one) => !refuses(one))),
      );
    }
  }
  const asked = judged.filter(({ role }) => role !== "own");
  console.log("confidence against the share that is right, in tenths:");
  for (let tenth = 0; tenth < 10; tenth++) {
    const within = asked.filter(({ confidence }) => Math.min(9, Math.floor(10 * confidence)) === tenth);
    const right = share(within, (one) => one.isBestRight && ["trained", "kept"].includes(one.role));
    console.log(`  ${tenth / 10} to ${(tenth + 1) / 10}: ${percent(right)} of ${within.length}`);
  }
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function mapped<Name extends string>(
  numbers: Record<Name, number>,
  change: (value: number) => number,
): Record<Name, number> {
  const entries = Object.entries(numbers) as [Name, number][];
  return Object.fromEntries(entries.map(([name, value]) => [name, change(value)])) as Record<Name, number>;
}

function roundedAll<Name extends string>(numbers: Record<Name, number>): Record<Name, number> {
  return mapped(numbers, round);
}
