import { Type } from "typebox";
import { Citation, page } from "./conversations.ts";
import { Id, limits, Timestamp, worded } from "./fields.ts";

export const UnansweredQuery = Type.Object({
  offset: page.offset,
  limit: Type.Integer({ ...page.limit, maximum: limits.unansweredListLength }),
});

/** Questions that ask the same, which the chatbot's texts did not answer. */
export const Unanswered = Type.Object(
  {
    id: Id,
    question: Type.String({ description: "As it was asked last." }),
    questions: Type.Array(Type.String(), {
      description: "The ways in which it was asked, the latest first; ten at most.",
    }),
    count: Type.Integer({ minimum: 1, description: "How often it was asked." }),
    last_asked_at: Timestamp,
    closest: Type.Array(Citation, { description: "What came closest to an answer when it was asked last." }),
  },
  { title: "Unanswered" },
);
export const UnansweredList = Type.Object({ unanswered: Type.Array(Unanswered) });

export const AnswerRequest = Type.Object({
  text: worded({
    description: "The answer, as the chatbot is to give it, with a word or a number in it.",
    maxLength: limits.questionCharacters,
    examples: ["Yes, we sell gift vouchers of any value."],
  }),
});
export const AnswerReply = Type.Object({ training_data_id: Id });
