import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildIndex, type Found, openIndex } from "@caigun/passages";
import { PastedText } from "./pasted-text.ts";
import type { SquadFile, SquadQuestion } from "./squad.ts";

/** One question, whether its own article is in the index, and what the search found. */
export interface Asked {
  question: SquadQuestion;
  isForeign: boolean;
  found: Found;
}

const SEARCHED_PASSAGES = 8;

/** Indexes all articles and searches for every question. */
export function askOwn(file: SquadFile): Asked[] {
  return ask(file, () => true);
}

/** Indexes every second article, then the others, and each time searches for all questions: half of them foreign. */
export function askHalves(file: SquadFile): Asked[] {
  return [0, 1].flatMap((half) => ask(file, (article) => article % 2 === half));
}

function ask(file: SquadFile, includes: (article: number) => boolean): Asked[] {
  const folder = mkdtempSync(join(tmpdir(), "caigun-eval-"));
  try {
    const path = join(folder, "index");
    buildIndex(path, [{ id: "text", title: "text", text: new PastedText(file, includes).text }]);
    const index = openIndex(path);
    try {
      return file.questions.map((question) => ({
        question,
        isForeign: !includes(question.article),
        found: index.search(question.question, SEARCHED_PASSAGES),
      }));
    } finally {
      index.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
