/**
 * node eval/fit-hybrid.ts MODEL.onnx FILE [--out ...] [--beside WEIGHTS.json]: fits how candidates are ranked and how sure a reply is where words
 * and MiniLM's vectors both speak, on a file in SQuAD's format; once on all of it, and for each fifth of the articles once
 * without it, so that the file itself can be evaluated. Of weights fitted earlier that are named by --beside, the folds
 * are reported too.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { Found } from "@caigun/passages";
import {
  confidenceSignals,
  type DescribedCandidate,
  describeCandidates,
  type HybridWeights,
  hybridScore,
  hybridSignals,
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
/** The share of answerable questions that each strictness refuses on the fitting data. */
const FALSE_REFUSALS = { low: 0.02, normal: 0.04, high: 0.1 };

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
  },
});
const [model, path] = positionals;
if (!model || !path) throw new Error("usage: node eval/fit-hybrid.ts MODEL.onnx FILE");
const search = await EmbeddedSearch.open(model);
const examples = await examplesOf(path);
await search.close();

if (values.beside) {
  console.log(values.beside);
  report(readBy((JSON.parse(readFileSync(values.beside, "utf8")) as { folds: HybridWeights[] }).folds));
}
const whole = fit(examples);
const folds = Array.from({ length: FOLDS }, (_, fold) => fit(examples.filter((example) => foldOf(example) !== fold)));
console.log("fitted now");
report(readBy(folds));
const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex");
const embedder = { name: "all-minilm-l6-v2-int8", digest: search.digest };
const written = { fittedOn: [{ name: basename(path), sha256 }], embedder, whole, folds };
writeFileSync(values.out, `${JSON.stringify(written).replaceAll(/(?<=[\]}]),(?=["{])|(?<=\{)(?=")/g, "$&\n")}\n`);

function foldOf({ asking }: Example): number {
  return asking.question.article % FOLDS;
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

function fit(from: readonly Example[]): HybridWeights {
  const own = from.filter(({ asking, candidates }) => asking.role === "own" && candidates.length > 0);
  const ranking = fitRanking(
    own.map(({ found, candidates, isRight }) => ({ vectors: found.vectors!, candidates, isRight })),
  );
  const rounded = {
    ranking: roundedAll(ranking.ranking),
    token: ranking.token.map(round),
    tokenBias: round(ranking.tokenBias),
  };
  // A question about something else and one whose passage is missing weigh as much as those that the text answers.
  const examples = from
    .filter(({ asking, candidates }) => asking.role !== "own" && candidates.length > 0)
    .map((example) => ({ example, ...bestOf(example, rounded) }));
  const isAnswerable = ({ example }: { example: Example }) => ["trained", "kept"].includes(example.asking.role);
  const fitted = fitLogistic(
    examples.map((one) => ({
      signals: confidenceSignals.map((name) => one.signals[name]),
      isPositive: isAnswerable(one),
    })),
  );
  const evidence = (signals: Signals) =>
    confidenceSignals.reduce((sum, name, at) => sum + fitted.weights[at]! * signals[name], fitted.bias);
  // Calibrated (Platt 1999): the probability that the candidate answers, not only that the text does.
  const platt = fitLogistic(
    examples.map((one) => ({ signals: [evidence(one.signals)], isPositive: isAnswerable(one) && one.isRight })),
  );
  const confidence = Object.fromEntries(
    confidenceSignals.map((name, at) => [name, round(platt.weights[0]! * fitted.weights[at]!)]),
  ) as HybridWeights["confidence"];
  confidence.bias = round(platt.bias + platt.weights[0]! * fitted.bias);
  const weights = { ...rounded, confidence, thresholds: { low: 0, normal: 0, high: 0 } };
  const answerable = examples.filter(isAnswerable).map(({ signals }) => confidenceOf(signals, weights));
  const thresholds = Object.entries(FALSE_REFUSALS).map(([name, share]) => [
    name,
    round(thresholdAt(answerable, share)),
  ]);
  return { ...weights, thresholds: Object.fromEntries(thresholds) as HybridWeights["thresholds"] };
}

type Signals = Record<(typeof confidenceSignals)[number], number>;

function bestOf(
  { found, candidates, isRight }: Example,
  weights: Pick<HybridWeights, "ranking" | "token" | "tokenBias">,
): { signals: Signals; isRight: boolean; twoRight: boolean } {
  const tokenWeights = tokenWeightsOf(found.vectors!, weights);
  const scored = candidates
    .map((candidate, at) => ({ candidate, at, hybrid: hybridSignals(candidate, tokenWeights) }))
    .map((one) => ({ ...one, score: hybridScore(one.hybrid, weights.ranking) }))
    .sort((a, b) => b.score - a.score);
  const [first, second] = scored;
  const signals = { ...first!.hybrid, ...signalsOf(first!.candidate, found) };
  const right = isRight[first!.at]!;
  return { signals, isRight: right, twoRight: right || (second !== undefined && isRight[second.at]!) };
}

function confidenceOf(signals: Signals, { confidence }: Pick<HybridWeights, "confidence">): number {
  const sum = confidenceSignals.reduce((total, name) => total + confidence[name] * signals[name], confidence.bias);
  return 1 / (1 + Math.exp(-sum));
}

/** What weights say of articles that they did not see. */
function report(held: { example: Example; weights: HybridWeights }[]): void {
  const judged = held.map(({ example, weights }) => {
    if (example.candidates.length === 0)
      return { role: example.asking.role, confidence: 0, isRight: false, twoRight: false, weights };
    const best = bestOf(example, weights);
    return { role: example.asking.role, confidence: confidenceOf(best.signals, weights), ...best, weights };
  });
  const of = (role: Role) => judged.filter((one) => one.role === role);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const share = <T>(all: T[], holds: (one: T) => boolean) => all.filter(holds).length / all.length;
  console.log(
    "contains, one / two sentences",
    percent(share(of("own"), (one) => one.isRight)),
    percent(share(of("own"), (one) => one.twoRight)),
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
    const right = share(within, (one) => one.isRight && ["trained", "kept"].includes(one.role));
    console.log(`  ${tenth / 10} to ${(tenth + 1) / 10}: ${percent(right)} of ${within.length}`);
  }
}

function round(value: number): number {
  return Number(value.toFixed(4));
}

function roundedAll<Name extends string>(numbers: Record<Name, number>): Record<Name, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, round(value as number)])) as Record<
    Name,
    number
  >;
}
