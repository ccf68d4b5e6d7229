/**
 * node eval/checking.ts [--failures]: how many sentences of our own labelled pairs (eval/checking/pairs.txt) the check
 * catches where the passage does not support them, and passes where it does. Failures of the held-out part are not shown.
 */
import { readFileSync } from "node:fs";
import { checkSentences, type Verdict } from "@caigun/checking";
import { sentences } from "@caigun/text";

export type Pair = {
  language: string;
  domain: string;
  passage: string;
  sentence: string;
  kind: string;
  isSupported: boolean;
  isHeldOut: boolean;
};
export type Judged = Pair & { verdict: Verdict; isRight: boolean };

export function readPairs(): Pair[] {
  const lines = readFileSync(new URL("./checking/pairs.txt", import.meta.url), "utf8").split("\n");
  const pairs: Pair[] = [];
  let about = { language: "", domain: "", isHeldOut: false };
  let passage = "";
  for (const [number, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("== ")) {
      const [, language = "", domain = "", mark] = line.split(" ");
      about = { language, domain, isHeldOut: mark === "held-out" };
    } else if (/^[+-] /.test(line)) {
      const [kind = "", sentence = ""] = line.slice(2).split(" | ");
      if (sentence === "" || passage === "") throw new Error(`Line ${number + 1} of the pairs is incomplete: ${line}`);
      pairs.push({ ...about, passage, sentence, kind, isSupported: line.startsWith("+") });
    } else passage = line;
  }
  return pairs;
}

export function judge(pairs: readonly Pair[]): Judged[] {
  return pairs.map((pair) => {
    const passage = { text: pair.passage, sentences: sentences(pair.passage) };
    const [verdict] = checkSentences([pair.sentence], [passage]);
    return { ...pair, verdict: verdict!, isRight: verdict!.supported === pair.isSupported };
  });
}

export type Rates = { caught: number; passed: number; unsupported: number; supported: number };

/** Shares (0..1): of the unsupported sentences caught, and of the supported ones passed; and how many there are. */
export function ratesOf(judged: readonly Judged[]): Rates {
  const supported = judged.filter(({ isSupported }) => isSupported);
  const unsupported = judged.filter(({ isSupported }) => !isSupported);
  const share = (those: readonly Judged[]) => those.filter(({ isRight }) => isRight).length / those.length;
  return {
    caught: share(unsupported),
    passed: share(supported),
    unsupported: unsupported.length,
    supported: supported.length,
  };
}

function print(judged: readonly Judged[]): void {
  const percent = (share: number) => (Number.isNaN(share) ? "-" : `${(100 * share).toFixed(1)} %`).padStart(8);
  const line = (name: string, those: readonly Judged[]) => {
    const { caught, passed, unsupported, supported } = ratesOf(those);
    console.log(
      `${name.padEnd(30)}caught ${percent(caught)} of ${unsupported}, passed ${percent(passed)} of ${supported}`,
    );
  };
  for (const isHeldOut of [false, true]) {
    const part = judged.filter((pair) => pair.isHeldOut === isHeldOut);
    line(isHeldOut ? "held out" : "tuned on", part);
    for (const language of new Set(part.map(({ language }) => language)))
      line(
        `  ${language}`,
        part.filter((pair) => pair.language === language),
      );
    for (const kind of new Set(part.map(({ kind }) => kind)))
      line(
        `  ${kind}`,
        part.filter((pair) => pair.kind === kind),
      );
  }
}

if (import.meta.main) {
  const judged = judge(readPairs());
  print(judged);
  if (process.argv.includes("--failures"))
    for (const { isRight, isHeldOut, isSupported, kind, sentence, passage, verdict } of judged)
      if (!isRight && !isHeldOut)
        console.log(
          `\n${isSupported ? "dropped" : "passed"} ${kind}: ${sentence}\n  ${verdict.supported ? "" : verdict.reason} ${passage}`,
        );
}
