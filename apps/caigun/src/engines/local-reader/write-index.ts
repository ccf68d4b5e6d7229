import { statSync } from "node:fs";
import {
  addForeignSignals,
  type BuildProgress,
  buildIndex,
  type IndexSummary,
  openIndex,
  type SourceDocument,
} from "@caigun/passages";
import { foreignQuestions, meanForeignSignals } from "@caigun/reading";
import { passagesWanted } from "./passages-read.ts";

/**
 * Writes the index of some documents, and notes in it what the reader sees there when it is asked about other things:
 * where only words speak, the thresholds depend on that. Throws as buildIndex does.
 */
export function writeIndex(
  path: string,
  documents: readonly SourceDocument[],
  options: { onProgress?: (progress: BuildProgress) => void } = {},
): IndexSummary {
  const summary = buildIndex(path, documents, options);
  const means = meanForeignSignals(askedAboutOtherThings(path));
  if (means) addForeignSignals(path, { ...means });
  return { ...summary, bytes: statSync(path).size };
}

/** In the language of most passages; nothing where no questions are written in it. */
function askedAboutOtherThings(path: string) {
  const index = openIndex(path);
  try {
    return foreignQuestions(index.languages[0]!).map((asked) => {
      const { text: question, corrections } = index.correct(asked);
      const { searched } = passagesWanted("best", false);
      return { question, evidence: index.search(question, searched, { corrections }) };
    });
  } finally {
    index.close();
  }
}
