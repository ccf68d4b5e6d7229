import { comparable } from "./measures.ts";
import { PastedText } from "./pasted-text.ts";
import type { SquadFile, SquadQuestion } from "./squad.ts";
import { withTypos } from "./typos.ts";

/** What can be evaluated by itself, with `--only`. */
export const parts = ["retrieval", "reading", "foreign", "hard", "typos"] as const;
export type Part = (typeof parts)[number];

/**
 * How a question meets a model: of the whole file ("own", and with typos "typo"); of half the articles, its own among
 * them or not ("trained", "foreign"); of its article alone, with its passage or without ("kept", "hard").
 */
export type Role = "own" | "typo" | "trained" | "foreign" | "kept" | "hard";

export interface Asking {
  role: Role;
  question: SquadQuestion;
  /** What is sent. */
  said: string;
}

/** One model to train, and what to ask it. */
export interface ModelPlan {
  text: PastedText;
  askings: Asking[];
}

/** The models that some parts need and what is asked of each: only questions of the articles that `asks` names. */
export function plan(file: SquadFile, only: ReadonlySet<Part>, asks: (article: number) => boolean): ModelPlan[] {
  const questions = file.questions.filter(({ article }) => asks(article));
  const plans = [
    ...wholeFile(file, questions, only),
    ...(only.has("foreign") ? halves(file, questions) : []),
    ...(only.has("hard") ? leftOut(file, questions) : []),
  ];
  return plans.filter(({ askings }) => askings.length > 0);
}

const asIs = (role: Role) => (question: SquadQuestion) => ({ role, question, said: question.question });

function wholeFile(file: SquadFile, questions: SquadQuestion[], only: ReadonlySet<Part>): ModelPlan[] {
  const askings: Asking[] = only.has("retrieval") || only.has("reading") ? questions.map(asIs("own")) : [];
  if (only.has("typos")) {
    // Made from all questions, so that which words are common does not depend on which articles are asked about.
    const said = withTypos(file.questions.map(({ question }) => question));
    for (const [at, question] of file.questions.entries())
      if (said && questions.includes(question)) askings.push({ role: "typo", question, said: said[at]! });
  }
  return askings.length === 0 ? [] : [{ text: new PastedText(file, () => true), askings }];
}

/** Every second article, then the others; both are asked all questions. A file of one article has no foreign question. */
function halves(file: SquadFile, questions: SquadQuestion[]): ModelPlan[] {
  if (file.articles.length < 2) return [];
  return [0, 1].map((half) => ({
    text: new PastedText(file, (article) => article % 2 === half),
    askings: questions.map((question) => asIs(question.article % 2 === half ? "trained" : "foreign")(question)),
  }));
}

/** For each article of several passages a model of it all, and one without each of its passages. */
function leftOut(file: SquadFile, questions: SquadQuestion[]): ModelPlan[] {
  const hard = questions.filter((question) => standsNowhereElse(file, question));
  return file.articles.flatMap(({ paragraphs }, number) => {
    const ofArticle = hard.filter(({ article }) => article === number);
    const whole = {
      text: new PastedText(file, (article) => article === number),
      askings: ofArticle.map(asIs("kept")),
    };
    const without = paragraphs.map((_, left) => ({
      text: new PastedText(file, (article, paragraph) => article === number && paragraph !== left),
      askings: ofArticle.filter(({ paragraph }) => paragraph === left).map(asIs("hard")),
    }));
    return [whole, ...without];
  });
}

/** Whether the rest of the article is there, and holds none of the gold answers. */
function standsNowhereElse(file: SquadFile, { article, paragraph, answers }: SquadQuestion): boolean {
  const others = file.articles[article]!.paragraphs.filter((_, other) => other !== paragraph).map(comparable);
  const golds = answers.map(comparable).filter((gold) => gold !== "");
  return (
    others.join("") !== "" && golds.length > 0 && !others.some((other) => golds.some((gold) => other.includes(gold)))
  );
}
