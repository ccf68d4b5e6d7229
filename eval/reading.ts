/**
 * node eval/reading.ts FILE...: the quality of search and reading on files in SQuAD's format, without the server
 * between, with weights that did not see the file. For the figures of the product as people use it, ask over HTTP.
 */
import { basename } from "node:path";
import { type FitName, read } from "@caigun/reading";
import { type Asked, askHalves, askLeftOut, askOwn, askParts } from "./direct.ts";
import { chooseFits } from "./fits.ts";
import { areaUnderCurve, containsGold, shareBelow, thresholdAt } from "./measures.ts";
import { readSquad, type SquadFile } from "./squad.ts";

const FALSE_REFUSALS = 0.05;
/** Into how many parts a file is cut to see how small texts do. */
const SIXTEENTHS = 16;

function percent(share: number): string {
  return (100 * share).toFixed(1).padStart(5);
}

function report(file: SquadFile): string[] {
  const own = askOwn(file);
  // Folds differ where vectors speak; here only words do.
  const fit = chooseFits(file.sha256)[0]!.fit.name as FitName;
  const readAsked = ({ question, found }: Asked) => read(question.question, found, { fit });
  const readings = own.map(readAsked);
  const share = (holds: (asked: Asked, at: number) => boolean) => own.filter(holds).length / own.length;
  const contains = (text: string, at: number) => containsGold(text, own[at]!.question.answers);
  const holdsParagraph = (asked: Asked, passages: number) => {
    const paragraph = file.articles[asked.question.article]!.paragraphs[asked.question.paragraph]!;
    return asked.found.passages
      .slice(0, passages)
      .some(({ text }) => paragraph.includes(text) || text.includes(paragraph));
  };
  const confidences = (asked: readonly Asked[], isForeign: boolean) =>
    asked.filter((one) => one.isForeign === isForeign).map((one) => readAsked(one).confidence);
  const refused = (asked: readonly Asked[]) => {
    const [answerable, foreign] = [confidences(asked, false), confidences(asked, true)];
    const share = percent(shareBelow(foreign, thresholdAt(answerable, FALSE_REFUSALS)));
    return `${share} %, AUC ${areaUnderCurve(answerable, foreign).toFixed(3)}`;
  };
  const halves = askHalves(file);
  const sixteenths = askParts(file, SIXTEENTHS);
  const leftOut = askLeftOut(file);
  const answeredShare = (asked: readonly Asked[], isForeign: boolean) => {
    const those = asked.filter((one) => one.isForeign === isForeign);
    return percent(those.filter((one) => readAsked(one).answered).length / those.length);
  };
  const sentenceLengths = readings.map((reading) => reading.candidate.citations[0]?.quote.length ?? 0);
  const meanLength = sentenceLengths.reduce((sum, length) => sum + length, 0) / sentenceLengths.length;
  return [
    `${own.length} questions`,
    `passage 1 / 5: ${percent(share((asked) => holdsParagraph(asked, 1)))} / ${percent(share((asked) => holdsParagraph(asked, 5)))} %`,
    `candidate contains the answer in one / two sentences: ${percent(
      share((_, at) => contains(readings[at]!.candidate.citations[0]?.quote ?? "", at)),
    )} / ${percent(share((_, at) => contains(readings[at]!.candidate.text, at)))} %`,
    `reply as sent contains it: ${percent(share((_, at) => contains(readings[at]!.text, at)))} %, mean length of its sentence ${meanLength.toFixed(0)}`,
    `foreign questions refused at 5 % false refusals: ${refused(halves)}`,
    ...(leftOut.length > 0 ? [`hard questions refused at 5 % false refusals: ${refused(leftOut)}`] : []),
    `at the fitted threshold: own answered ${answeredShare(halves, false)} %, foreign answered ${answeredShare(halves, true)} %`,
    ...(leftOut.length > 0
      ? [
          `the same of articles alone: own answered ${answeredShare(leftOut, false)} %, hard answered ${answeredShare(leftOut, true)} %`,
        ]
      : []),
    `the same of sixteenths: own answered ${answeredShare(sixteenths, false)} %, foreign answered ${answeredShare(sixteenths, true)} %`,
  ];
}

for (const path of process.argv.slice(2)) {
  console.log(basename(path));
  for (const line of report(readSquad(path))) console.log(`  ${line}`);
}
