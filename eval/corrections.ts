/**
 * node eval/corrections.ts [--failures]: questions to our own two handbooks that these do not answer, each with the
 * correction that its owner writes and three other wordings, written before any of them was asked. Each question is
 * asked; where it was refused or answered with low confidence it stands on the list of unanswered questions, and gets its
 * correction; a model is trained anew, and all wordings are asked. Prints the shares of those corrected that get the
 * correction, and how many there were: a question that was answered wrongly, but with confidence, is on no list.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { environmentOf, startCaigun } from "../testkit/caigun.ts";
import { type Chatbot, newChatbot, openHouse } from "../testkit/chatbot.ts";
import { type Handbook, handbooks, readHandbook } from "./handbooks.ts";
import { comparable } from "./measures.ts";

export type Correction = { question: string; answer: string; rewordings: string[] };
type Asked = { question: string; wanted: string; got: string; isRight: boolean };
/** `retrieval`: how the model's passages are searched; `written`: how many corrections there are to a handbook; `questions`, `rewordings`: asked after those that could be made. */
export type Corrected = { retrieval: string; written: number; questions: Asked[]; rewordings: Asked[] };

type UnansweredList = { unanswered: { id: string; questions: string[] }[] };

export function readCorrections(name: Handbook): Correction[] {
  return readFileSync(new URL(`./handbooks/${name}.corrections`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [question = "", answer = "", ...rewordings] = line.split(" | ");
      return { question, answer, rewordings };
    });
}

/** Trains a chatbot on a handbook, corrects what it can't answer, trains it anew and asks in all wordings. */
export async function correct(chatbot: Chatbot, name: Handbook): Promise<Corrected> {
  const { text } = readHandbook(name);
  const corrections = readCorrections(name);
  await chatbot.ready(text, name);
  // Each in a conversation of its own: nothing said before is leaned on.
  const reply = async (question: string) => (await chatbot.ask(question, { uid: randomUUID() })).text;
  for (const { question } of corrections) await reply(question);
  const { unanswered } = await chatbot.get<UnansweredList>("unanswered?limit=100");
  const listed = corrections.flatMap((correction) => {
    const group = unanswered.find(({ questions }) => questions.includes(correction.question));
    return group ? [{ ...correction, id: group.id }] : [];
  });
  for (const { id, answer } of listed)
    await chatbot.get(`unanswered/${id}/answer`, { method: "POST", json: { text: answer } });
  const { retrieval } = await chatbot.ready(text, name);
  const ask = async (question: string, wanted: string): Promise<Asked> => {
    const got = await reply(question);
    return { question, wanted, got, isRight: comparable(got).includes(comparable(wanted)) };
  };
  const corrected: Corrected = {
    retrieval: String(retrieval),
    written: corrections.length,
    questions: [],
    rewordings: [],
  };
  for (const { question, answer, rewordings } of listed) {
    corrected.questions.push(await ask(question, answer));
    for (const rewording of rewordings) corrected.rewordings.push(await ask(rewording, answer));
  }
  return corrected;
}

/** Of those asked, the share (0..1) that got the correction. */
export const share = (asked: readonly Asked[]) => asked.filter(({ isRight }) => isRight).length / asked.length;

function print(name: string, { retrieval, written, questions, rewordings }: Corrected): void {
  const percent = (asked: readonly Asked[]) => `${(100 * share(asked)).toFixed(1)} % of ${asked.length}`;
  console.log(
    `${name} (${retrieval}): ${questions.length} of ${written} questions were on the list; answered with the correction: ` +
      `${percent(questions)} as asked before, ${percent(rewordings)} in other words`,
  );
}

if (import.meta.main) {
  // Searched as people's own chatbots are, unless told otherwise: tests leave vectors out.
  const chosen = environmentOf((name) => name === "CAIGUN_EMBEDDER" || name === "CAIGUN_WEIGHTS");
  const caigun = await startCaigun({ env: { CAIGUN_EMBEDDER: "", ...chosen } });
  try {
    await using house = await openHouse(caigun);
    const all: Corrected = { retrieval: handbooks.join(", "), written: 0, questions: [], rewordings: [] };
    for (const name of handbooks) {
      const corrected = await correct(await newChatbot(caigun, house), name);
      print(name, corrected);
      all.written += corrected.written;
      all.questions.push(...corrected.questions);
      all.rewordings.push(...corrected.rewordings);
    }
    print("both", all);
    if (process.argv.includes("--failures"))
      for (const { question, wanted, got } of [...all.questions, ...all.rewordings].filter(({ isRight }) => !isRight))
        console.log(`  ${question}\n    wanted ${wanted}\n    got    ${got}`);
  } finally {
    await caigun.remove();
  }
}
