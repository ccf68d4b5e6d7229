import { type Static, Type } from "typebox";
import { Id, limits, moment, readable, Timestamp } from "./fields.ts";
import { BaseBecause } from "./models.ts";

export const Citation = Type.Object(
  {
    training_data_id: Id,
    title: Type.String(),
    start: Type.Integer({
      minimum: 0,
      description: "Where the quote begins, in Unicode code points of the training data's text.",
    }),
    end: Type.Integer({ minimum: 0, description: "Where it ends: the code point after its last." }),
    quote: Type.String(),
    text_sha256: Type.String({ description: "SHA-256 of the training data's text in UTF-8, in hexadecimal." }),
    highlight: Type.Optional(
      Type.Array(Type.Object({ start: Type.Integer({ minimum: 0 }), end: Type.Integer({ minimum: 0 }) }), {
        description: "The words of the quote that most likely answer, in code points of the training data's text.",
      }),
    ),
  },
  { title: "Citation" },
);
export type Citation = Static<typeof Citation>;

/** The header that names a conversation. */
export const UidHeader = Type.Object({
  uid: Type.String({
    minLength: 1,
    maxLength: limits.uidCharacters,
    description: "Names the conversation within the chatbot: a user's id, for example.",
    examples: ["user-1"],
  }),
});

const nickname = Type.String({ maxLength: limits.titleCharacters, description: "What to call the person who talks." });

export const ConversationQuery = Type.Object({
  nickname: Type.Optional(nickname),
  explain: Type.Boolean({ default: false, description: "Also tell how the reply came about." }),
});

export const ConversationRequest = Type.Object({
  text: readable({
    description: "What the person says.",
    maxLength: limits.questionCharacters,
    examples: ["When does the office open?"],
  }),
});

export const ConversationReply = Type.Object({
  text: Type.String(),
  answered: Type.Boolean({
    description:
      "False where the chatbot's texts do not hold the answer and the reply says so. A greeting is answered, and cites nothing.",
  }),
  citations: Type.Array(Citation),
  engine: Type.String({ description: "What wrote the reply." }),
  model_id: Id,
  base: Type.Optional(
    Type.String({
      description: "Where the chatbot's model is one of `gpt2`: the base model that it was trained on.",
    }),
  ),
  base_because: Type.Optional(BaseBecause),
  message_id: Id,
  question: Type.Optional(
    Type.String({
      description:
        "With explain=true: what was searched for; a follow-up such as `and on Sundays?` is taken together with the question before it, and a misspelt word is taken for the text's own that comes closest.",
    }),
  ),
  confidence: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: "With explain=true." })),
  wording: Type.Optional(
    Type.Object(
      {
        writer: Type.Enum(["google", "openai", "gguf", "lora"]),
        outcome: Type.String({
          description:
            "`written`: the reply is the writer's. Else why it is not: `unsupported` (no sentence stood in the text), `declined`, or how the writer failed.",
        }),
        sent: Type.Integer({ minimum: 0, description: "Sentences of the writer's in the reply." }),
        dropped: Type.Integer({ minimum: 0, description: "Sentences that the text does not support." }),
      },
      { description: "With explain=true, where a writer was asked." },
    ),
  ),
  retrieval: Type.Optional(
    Type.Enum(["lexical", "hybrid"], { description: "With explain=true: how the passages were searched." }),
  ),
  candidate: Type.Optional(
    Type.Object(
      { text: Type.String(), citations: Type.Array(Citation) },
      { description: "With explain=true: the reply before the threshold." },
    ),
  ),
  passages: Type.Optional(
    Type.Array(
      Type.Object({
        training_data_id: Id,
        start: Type.Integer({ minimum: 0 }),
        end: Type.Integer({ minimum: 0 }),
        score: Type.Number(),
      }),
      { description: "With explain=true: the five best." },
    ),
  ),
});

export const page = {
  offset: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 1_000_000_000,
    description: "How many to leave out at the beginning.",
  }),
  limit: Type.Integer({
    default: 30,
    minimum: 1,
    maximum: limits.listLength,
    description: "How many to return at most.",
  }),
};

const period = {
  start_at: Type.Optional(
    moment("start", "The earliest time, inclusive. A bare date means its first moment, in UTC. By default 1970-01-01."),
  ),
  end_at: Type.Optional(
    moment("end", "The latest time, inclusive. A bare date means its last moment, in UTC. By default now."),
  ),
};

export const MessagesQuery = Type.Object({ ...page, ...period, nickname: Type.Optional(nickname) });
export const UidsQuery = Type.Object({ ...page, ...period });

export const Message = Type.Object(
  {
    created_at: Timestamp,
    receive: Type.String({ description: "What the chatbot received." }),
    send: Type.String({ description: "What the chatbot sent." }),
    type: Type.Enum(["text", "image"]),
    id: Id,
    log_type: Type.Enum(["talk", "vision"]),
    kwargs: Type.Unsafe<Readonly<Record<string, unknown>>>({
      type: "object",
      description:
        "Citations and the like; `question` where another was searched for than was received, `small_talk` where nothing was asked.",
    }),
  },
  { title: "Message" },
);
export const MessageList = Type.Object({ messages: Type.Array(Message) });

export const Conversation = Type.Object(
  {
    uid: Type.String(),
    nickname: Type.String({ description: "The one that was given last; empty where none was." }),
    source: Type.Enum(["api", "portal", "webchat"]),
    last_sent: Type.String({ description: "The latest thing the chatbot sent." }),
    last_sent_at: Timestamp,
  },
  { title: "Conversation" },
);
export const UidList = Type.Object({ uids: Type.Array(Conversation) });
