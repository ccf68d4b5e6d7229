/**
 * node eval/highlights.ts FILE...: of the sentence of each gold passage that holds the gold answer (files in SQuAD's
 * format), how often one marked stretch contains the answer, and how much of the sentence is marked.
 */
import { basename } from "node:path";
import { answeringWords } from "@caigun/reading";
import { detectLanguage } from "@caigun/text";
import { fixedSentences } from "./fixed-sentences.ts";
import { containsGold } from "./measures.ts";
import { readSquad, type SquadFile } from "./squad.ts";

/** Shares (0..1): of the sentences, and of their UTF-16 units. */
export interface HighlightFigures {
  questions: number;
  contain: number;
  marked: number;
}

export function measureHighlights(file: SquadFile): HighlightFigures {
  const counts = { questions: 0, contain: 0, marked: 0, units: 0 };
  for (const { question, answers, article, paragraph } of file.questions) {
    const holding = fixedSentences(file.articles[article]!.paragraphs[paragraph]!)
      .filter((sentence) => containsGold(sentence, answers))
      .sort((a, b) => a.length - b.length)[0];
    if (holding === undefined) continue;
    const spans = answeringWords(question, holding, detectLanguage(question));
    counts.questions += 1;
    counts.units += holding.length;
    for (const { start, end } of spans) counts.marked += end - start;
    if (spans.some(({ start, end }) => containsGold(holding.slice(start, end), answers))) counts.contain += 1;
  }
  const { questions, contain, marked, units } = counts;
  return { questions, contain: contain / questions, marked: marked / units };
}

if (import.meta.main) {
  for (const path of process.argv.slice(2)) {
    const { questions, contain, marked } = measureHighlights(readSquad(path));
    const percent = (share: number) => (100 * share).toFixed(1).padStart(5);
    console.log(
      `${basename(path)}: ${percent(contain)} % of ${questions} hold the answer in one stretch, ${percent(marked)} % marked`,
    );
  }
}
