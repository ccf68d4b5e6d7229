/**
 * node eval/writing.ts gguf|openai|google [--questions N]: asks our own two handbooks, with the writer that the
 * environment names (see docs/running.md), and prints which share of the replies went out in the writer's own words.
 */
import { environmentOf, startCaigun } from "../testkit/caigun.ts";
import { Chatbot, type CitationReply } from "../testkit/chatbot.ts";
import { type Handbook, handbooks, readHandbook } from "./handbooks.ts";
import { containsGold } from "./measures.ts";

export type WriterName = "gguf" | "openai" | "google";
export type WritingFigures = {
  /** Questions that the writer was asked: the reader had found an answer to them. */
  asked: number;
  /** Of those, by what became of the writer's words. */
  outcomes: Record<string, number>;
  /** Share (0..1) of those that were replied to in the writer's words, and of these that hold the right answer. */
  inOwnWords: number;
  right: number;
  /** Sentences of the writer's that were sent, and dropped. */
  sent: number;
  dropped: number;
  /** Citations whose quote is not the slice of the text that they name: none may be. */
  inexactCitations: number;
};

/** Asks the answerable ones of a handbook's first questions. */
export async function measureWriting(
  writer: WriterName,
  env: Record<string, string>,
  { handbook, questions }: { handbook: Handbook; questions: number },
): Promise<WritingFigures> {
  const caigun = await startCaigun({ env });
  try {
    const chatbot = new Chatbot(caigun);
    const { text, questions: all } = readHandbook(handbook);
    await chatbot.ready(text);
    await chatbot.get("settings", { method: "PATCH", json: { writer } });
    const characters = [...text];
    const isExact = ({ start, end, quote }: CitationReply) => characters.slice(start, end).join("") === quote;
    const figures: WritingFigures = {
      asked: 0,
      outcomes: {},
      inOwnWords: 0,
      right: 0,
      sent: 0,
      dropped: 0,
      inexactCitations: 0,
    };
    const answerable = all.filter(({ answer }) => answer !== null).slice(0, questions);
    for (const [number, { question, answer }] of answerable.entries()) {
      const reply = await chatbot.ask(question, { uid: `question-${number}`, query: "?explain=true" });
      figures.inexactCitations += reply.citations.filter((citation) => !isExact(citation)).length;
      if (!reply.wording) continue;
      const { outcome, sent, dropped } = reply.wording;
      figures.asked++;
      figures.outcomes[outcome] = (figures.outcomes[outcome] ?? 0) + 1;
      figures.sent += sent;
      figures.dropped += dropped;
      if (outcome === "written" && containsGold(reply.text, [answer!])) figures.right++;
    }
    const written = figures.outcomes.written ?? 0;
    return { ...figures, inOwnWords: written / figures.asked, right: written === 0 ? 0 : figures.right / written };
  } finally {
    await caigun.remove();
  }
}

if (import.meta.main) {
  const [writer = "gguf"] = process.argv.slice(2);
  const at = process.argv.indexOf("--questions");
  const questions = at < 0 ? Number.POSITIVE_INFINITY : Number(process.argv[at + 1]);
  const env = environmentOf((name) => name.startsWith("CAIGUN_"));
  for (const handbook of handbooks)
    console.log(handbook, await measureWriting(writer as WriterName, env, { handbook, questions }));
}
