import { readFileSync } from "node:fs";

export interface SquadQuestion {
  id: string;
  question: string;
  /** Gold answers, as marked in the paragraph. */
  answers: string[];
  /** Number of the article in the file, and of the paragraph in the article. */
  article: number;
  paragraph: number;
}

export interface SquadFile {
  articles: { title: string; paragraphs: string[] }[];
  questions: SquadQuestion[];
}

interface RawSquad {
  data: {
    title?: string;
    paragraphs: { context: string; qas: { id: string; question: string; answers: { text: string }[] }[] }[];
  }[];
}

/** Reads a file in SQuAD's format (1.1). Questions without an answer are left out. */
export function readSquad(path: string): SquadFile {
  const raw = JSON.parse(readFileSync(path, "utf8")) as RawSquad;
  const file: SquadFile = { articles: [], questions: [] };
  for (const [article, { title, paragraphs }] of raw.data.entries()) {
    file.articles.push({ title: title ?? `Article ${article + 1}`, paragraphs: paragraphs.map((one) => one.context) });
    for (const [paragraph, { qas }] of paragraphs.entries()) {
      for (const { id, question, answers } of qas) {
        const texts = answers.map((answer) => answer.text).filter((text) => text !== "");
        if (texts.length > 0) file.questions.push({ id, question, answers: texts, article, paragraph });
      }
    }
  }
  return file;
}
