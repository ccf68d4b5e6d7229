import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Found, openIndex } from "@caigun/passages";
import { writeIndex } from "../apps/caigun/src/engines/local-reader/write-index.ts";
import { plan } from "./parts.ts";
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

/**
 * Parts the articles, indexes each part by itself, and searches it for its own questions and for those of the next part,
 * which are foreign: every question is asked once as each.
 */
export function askParts(file: SquadFile, parts: number): Asked[] {
  return Array.from({ length: parts }, (_, part) => part)
    .filter((part) => part < file.articles.length)
    .flatMap((part) => {
      const includes = (article: number) => article % parts === part;
      const isNext = (article: number) => article % parts === (part + 1) % parts;
      const asks = ({ article }: SquadQuestion) => includes(article) || isNext(article);
      return ask(file, includes, asks);
    });
}

/** Indexes every second article, then the others, and each time searches for all questions: half of them foreign. */
export function askHalves(file: SquadFile): Asked[] {
  return askParts(file, 2);
}

/** Asks an article that has lost a passage for what stood there, and the whole article for the same. */
export function askLeftOut(file: SquadFile): Asked[] {
  return plan(file, new Set(["hard"]), () => true).flatMap(({ text, askings }) =>
    search(text.text, askings).map(({ role, question, found }) => ({ question, isForeign: role === "hard", found })),
  );
}

function ask(
  file: SquadFile,
  includes: (article: number) => boolean,
  asks: (question: SquadQuestion) => boolean = () => true,
): Asked[] {
  const questions = file.questions.filter(asks).map((question) => ({ question }));
  return search(new PastedText(file, includes).text, questions).map(({ question, found }) => ({
    question,
    isForeign: !includes(question.article),
    found,
  }));
}

function search<Asking extends { question: SquadQuestion }>(
  text: string,
  askings: readonly Asking[],
): (Asking & { found: Found })[] {
  const folder = mkdtempSync(join(tmpdir(), "caigun-eval-"));
  try {
    const path = join(folder, "index");
    writeIndex(path, [{ id: "text", title: "text", text }]);
    const index = openIndex(path);
    try {
      return askings.map((asking) => ({
        ...asking,
        found: index.search(asking.question.question, SEARCHED_PASSAGES),
      }));
    } finally {
      index.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
