import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Code points, end exclusive. */
export interface Place {
  start: number;
  end: number;
}

export interface SquadQuestion {
  id: string;
  question: string;
  /** Gold answers, as marked in the paragraph. */
  answers: string[];
  /** Where they stand in the paragraph, as far as they stand there. */
  places: Place[];
  /** Number of the article in the file, and of the paragraph in the article. */
  article: number;
  paragraph: number;
}

export interface SquadFile {
  articles: { title: string; paragraphs: string[] }[];
  questions: SquadQuestion[];
  /** SHA-256 of the file, in hexadecimal. */
  sha256: string;
}

interface RawAnswer {
  text: string;
  answer_start?: number;
}

interface RawSquad {
  data: {
    title?: string;
    paragraphs: { context: string; qas: { id: string; question: string; answers: RawAnswer[] }[] }[];
  }[];
}

/** The file can't be read, or is not in SQuAD's format; the message says which. */
export class NotSquad extends Error {
  override name = "NotSquad";
}

/** Reads a file in SQuAD's format (1.1). Questions without an answer are left out. Throws NotSquad. */
export function readSquad(path: string): SquadFile {
  const bytes = readBytes(path);
  const file: SquadFile = { articles: [], questions: [], sha256: createHash("sha256").update(bytes).digest("hex") };
  try {
    const raw = JSON.parse(bytes.toString("utf8")) as RawSquad;
    for (const [article, { title, paragraphs }] of raw.data.entries()) {
      file.articles.push({
        title: title ?? `Article ${article + 1}`,
        paragraphs: paragraphs.map((one) => one.context),
      });
      for (const [paragraph, { context, qas }] of paragraphs.entries()) {
        for (const { id, question, answers } of qas) {
          const given = answers.filter((answer) => answer.text !== "");
          const places = given.map((answer) => placeOf(answer, context)).filter((place) => place !== undefined);
          const texts = given.map((answer) => answer.text);
          if (texts.length > 0) file.questions.push({ id, question, answers: texts, places, article, paragraph });
        }
      }
    }
  } catch (error) {
    throw new NotSquad(`${path} is not in SQuAD's format: ${(error as Error).message}`);
  }
  if (file.questions.length === 0) throw new NotSquad(`${path} holds no question with an answer.`);
  return file;
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new NotSquad(`${path} can't be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/**
 * Where an answer stands: at `answer_start`, which most files count in code points and some in UTF-16 units, else where
 * the paragraph first has it, since some files are off by a few characters.
 */
function placeOf({ text, answer_start: given = -1 }: RawAnswer, context: string): Place | undefined {
  const asUnits = given < 0 ? -1 : [...context].slice(0, given).join("").length;
  const units = [asUnits, given, context.indexOf(text)].find((at) => at >= 0 && context.startsWith(text, at));
  if (units === undefined) return undefined;
  const start = [...context.slice(0, units)].length;
  return { start, end: start + [...text].length };
}
