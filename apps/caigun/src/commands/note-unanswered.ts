import { distinctionsOf } from "@caigun/checking";
import type { Reply } from "@caigun/contract";
import type { Reading } from "@caigun/reading";
import { detectLanguage, words } from "@caigun/text";
import { type AskedInVain, noteUnanswered as noteStored } from "../store/index.ts";
import type { Caller } from "./caller.ts";
import type { House } from "./house.ts";

/** An answer whose confidence is above the threshold by less than this may be wrong: its owner should see it too. */
const LOW_CONFIDENCE_MARGIN = 0.1;
/** Of one question: more would tell no more whether two ask the same. */
const MOST_TERMS = 64;
/** What anyone can write stays on a list for the owner, so it is bounded; code points. */
const LONGEST_WORDING = 1_000;
const LONGEST_TERM = 100;

type Noted = {
  /** As it was searched for. */
  question: string;
  reading: Reading;
  /** The candidate's, as the API tells them. */
  closest: Reply<"converse">["citations"];
  modelId: string;
};

/**
 * Puts a question that was refused, or answered with low confidence, on the list of what the chatbot's texts lack. The
 * reply to it goes out in any case: what keeps the question from being noted is logged.
 */
export async function noteUnanswered(
  { store, log }: Pick<House, "store" | "log">,
  { chatbotId }: Pick<Caller, "chatbotId">,
  { question, reading, closest, modelId }: Noted,
): Promise<void> {
  if (reading.answered && reading.confidence >= reading.threshold + LOW_CONFIDENCE_MARGIN) return;
  try {
    // Cut before it is looked at: this is the server's own process, and a long question would hold up everyone else's.
    const wording = cut(question, LONGEST_WORDING);
    await noteStored(store.db, chatbotId, {
      question: wording,
      ...aboutOf(wording, reading.candidate.text),
      closest,
      modelId,
      at: new Date(),
    });
  } catch (error) {
    log.warn({ err: error }, "can't note a question that was not answered");
  }
}

/**
 * What a question is about: its content words, or where it has none ("who are you?") all its words, or itself; and what
 * no question that asks the same can lack.
 */
function aboutOf(question: string, textsAnswer: string): Pick<AskedInVain, "terms" | "distinctions"> {
  // A short question's language is guessed wrongly now and then, and its words would be stemmed in two ways.
  const language = detectLanguage(question, { unsure: detectLanguage(textsAnswer) });
  const found = words(question, language);
  const content = found.filter(({ common, part }) => !common && !part);
  const terms = (content.length > 0 ? content : found).map(({ term }) => term);
  return {
    terms: bounded(terms.length > 0 ? terms : [question.trim()]),
    distinctions: bounded(distinctionsOf(question, language)),
  };
}

const bounded = (terms: string[]) => [...new Set(terms.map((term) => cut(term, LONGEST_TERM)))].slice(0, MOST_TERMS);

function cut(text: string, codePoints: number): string {
  return text.length <= codePoints ? text : [...text].slice(0, codePoints).join("");
}
