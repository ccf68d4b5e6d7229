/**
 * node eval/follow-ups.ts gguf|openai|google|person [--words] [--failures]: the follow-ups of our own two handbooks, and
 * their other questions asked as one conversation, as the rules take them and as the writer puts them that the environment
 * names (see docs/running.md); "person": as we put them ourselves. Nothing is fitted on them. With --words the handbooks
 * are searched by words alone.
 */
import { isRewriting } from "@caigun/checking";
import { mayFollowUp, type Reading, read, resolveFollowUp } from "@caigun/reading";
import { readInConversation } from "../apps/caigun/src/commands/read-in-conversation.ts";
import type { Asked } from "../apps/caigun/src/commands/resolve-question.ts";
import { rewrittenQuestion } from "../apps/caigun/src/commands/rewritten-question.ts";
import { readConfig } from "../apps/caigun/src/config.ts";
import { closeWriters, openWriters, type Writers } from "../apps/caigun/src/engines/writers/open-writers.ts";
import { EmbeddedSearch } from "./embedded.ts";
import { type Handbook, handbooks, readHandbook, type Search, searchBy, searchByWords } from "./handbooks.ts";
import { containsGold } from "./measures.ts";

/** Puts a question so that it is understood alone; undefined: nothing of use. */
export type Rewrite = (asked: Asked) => Promise<string | undefined>;
export type ConversationOutcome = { asked: Asked; answer: string | null; question: string; reading: Reading };
/** Shares (0..1) of what is answered right, or refused where there is no answer. `calls` of the writer, and of these used. */
export type ConversationFigures = {
  follow_ups: number;
  answered_right: number;
  refused: number;
  calls: number;
  put_anew: number;
  used: number;
};

const BEFORE = 4;

export async function askConversations(
  name: Handbook,
  search: Search,
  rewrite: Rewrite,
): Promise<{ figures: ConversationFigures; outcomes: ConversationOutcome[] }> {
  const { text, questions, followUps } = readHandbook(name);
  const counts = { calls: 0, put_anew: 0, used: 0 };
  const reader = {
    read: async (question: string) => read(question, (await search([{ id: name, title: name, text }], [question]))[0]!),
    rewritten: async (asked: Asked) => {
      counts.calls++;
      const question = await rewrite(asked);
      if (question !== undefined) counts.put_anew++;
      return question;
    },
  };
  const ask = async (said: string, before: string[], answer: string | null): Promise<ConversationOutcome> => {
    const asked = { said, question: resolveFollowUp(said, before.at(-1)), leans: mayFollowUp(said), before };
    const outcome = await readInConversation(reader, asked);
    if (outcome.question !== asked.question) counts.used++;
    return { asked, answer, ...outcome };
  };
  const second: ConversationOutcome[] = [];
  for (const followUp of followUps) second.push(await ask(followUp.second, [followUp.first], followUp.answer));
  const alone: ConversationOutcome[] = [];
  for (const { question, answer } of questions)
    alone.push(
      await ask(
        question,
        alone.slice(-BEFORE).map((earlier) => earlier.question),
        answer,
      ),
    );
  const figures = {
    follow_ups: shareRight(second),
    answered_right: shareRight(alone.filter(({ answer }) => answer !== null)),
    refused: shareRight(alone.filter(({ answer }) => answer === null)),
    ...counts,
  };
  return { figures, outcomes: [...second, ...alone] };
}

function isRight({ answer, reading }: ConversationOutcome): boolean {
  return answer === null ? !reading.answered : reading.answered && containsGold(reading.text, [answer]);
}

function shareRight(outcomes: readonly ConversationOutcome[]): number {
  return outcomes.filter(isRight).length / outcomes.length;
}

/** What a writer would put that understands everything, where it would pass. */
async function putByUs({ said, before }: Asked): Promise<string | undefined> {
  const standalone = handbooks
    .flatMap((name) => readHandbook(name).followUps)
    .find(({ first, second }) => second === said && first === before.at(-1))?.standalone;
  return standalone !== undefined && isRewriting(standalone, said, before) ? standalone : undefined;
}

function putBy(writers: Writers, name: string): Rewrite {
  const writer = writers.get(name);
  if (!writer) throw new Error(`The environment names no writer "${name}": see docs/running.md.`);
  const log = { warn: (_: object, message: string) => console.error(message) };
  return (asked) => rewrittenQuestion({ log }, writer, asked, new AbortController().signal);
}

if (import.meta.main) {
  const [name = "gguf"] = process.argv.slice(2);
  const writers = openWriters(readConfig().writers);
  const rewrite = name === "person" ? putByUs : putBy(writers, name);
  const embedded = process.argv.includes("--words") ? undefined : await EmbeddedSearch.fetched();
  const search = embedded ? searchBy(embedded) : searchByWords;
  for (const handbook of handbooks) {
    const byRules = await askConversations(handbook, search, async () => undefined);
    const byWriter = await askConversations(handbook, search, rewrite);
    console.log(handbook, { by_rules: byRules.figures, by_writer: byWriter.figures });
    if (process.argv.includes("--failures"))
      for (const { asked, question, reading } of byWriter.outcomes)
        if (question !== asked.question)
          console.log(`  ${asked.said}\n    ${asked.question} -> ${question}\n    ${reading.text}`);
  }
  await closeWriters(writers);
  await embedded?.close();
}
