import { type Static, Type } from "typebox";
import { Id, limits, nullable, readable, Timestamp } from "./fields.ts";

/** The names a model can be asked for; what really trains and answers is its `engine`. */
export const modelNames = ["PaLM2", "gpt2"] as const;
export type ModelName = (typeof modelNames)[number];

export const modelStatuses = ["queued", "training", "ready", "failed", "cancelled"] as const;
export type ModelStatus = (typeof modelStatuses)[number];

export const ModelStatusSchema = Type.Enum([...modelStatuses]);

export const Failure = Type.Object(
  {
    stage: Type.String({ description: "Where the training stopped." }),
    cause: Type.String(),
    fix: Type.String({ description: "What to do about it." }),
  },
  { title: "Failure" },
);
export type Failure = Static<typeof Failure>;

/** Questions made from the model's own text, and questions about other things, asked before the model became ready. */
export const SelfCheck = Type.Object(
  {
    sentences: Type.Integer({
      minimum: 0,
      description: "Sentences of the text that were searched for with two of their telling words, 40 at most.",
    }),
    sentences_found: Type.Integer({ minimum: 0, description: "Of those, the ones that the reply would quote." }),
    clozes: Type.Integer({
      minimum: 0,
      description: "Sentences that were asked with two of their telling words and a blank for a third, 40 at most.",
    }),
    clozes_answered: Type.Integer({
      minimum: 0,
      description: "Of those, the ones that were answered, with the third word in the quoted sentences.",
    }),
    foreign: Type.Integer({
      minimum: 0,
      description: "Questions about other things, in the text's language; 0 where none are written in it.",
    }),
    foreign_refused: Type.Integer({ minimum: 0, description: "Of those, the ones that were refused." }),
  },
  { title: "SelfCheck" },
);
export type SelfCheck = Static<typeof SelfCheck>;

export const Evaluation = Type.Object(
  {
    probed_sentences: Type.Optional(
      Type.Integer({ minimum: 0, description: "Sentences of the text for which the index was searched, all found." }),
    ),
    stage_seconds: Type.Optional(
      Type.Unsafe<Readonly<Record<string, number>>>({
        type: "object",
        additionalProperties: { type: "number" },
        description: "How long each stage of the training took.",
      }),
    ),
    self_check: Type.Optional(SelfCheck),
    previous: Type.Optional(
      nullable(
        Type.Object(
          { model_id: Id, ...SelfCheck.properties },
          { description: "The same of the chatbot's ready model before this one; null where there was none." },
        ),
      ),
    ),
  },
  { title: "Evaluation" },
);
export type Evaluation = Static<typeof Evaluation>;

/** How a language model learns a text: losses are means in nats a token. */
const loss = (description: string) => nullable(Type.Number({ description }));
const LearningPoint = Type.Object({
  step: Type.Integer({ minimum: 0 }),
  loss: loss("Of the step's own tokens."),
  held_out_loss: loss("Of the part of the text that is not learned from; taken after some of the steps."),
});

export const BaseBecause = nullable(
  Type.String({ description: "Why other weights than `gpt2`'s own are trained on; null where they are not." }),
);

/** How far an adapter's training is. */
export const Learning = Type.Object(
  {
    ...LearningPoint.properties,
    steps: Type.Integer({ minimum: 1, description: "How many there will be, unless the loss stops falling before." }),
    tokens_per_second: Type.Number({ minimum: 0 }),
    seconds_left: Type.Number({ minimum: 0 }),
    base: Type.String({ description: "The weights it is trained on." }),
    base_because: BaseBecause,
  },
  { title: "Learning" },
);
export type Learning = Static<typeof Learning>;

/** What was trained of a language model: small matrices beside its weights (LoRA), which can be taken away. */
export const AdapterFacts = Type.Object(
  {
    base_digest: Type.String({
      description: "SHA-256 of the file of the weights that it was trained on: it fits no others.",
    }),
    base_because: BaseBecause,
    base_licence: nullable(Type.String({ description: "An SPDX identifier." })),
    base_quantisation: Type.String({ description: "How those weights are kept.", examples: ["Q4_1"] }),
    data_digest: Type.String({ description: "SHA-256 of what it was trained on." }),
    r: Type.Integer({ minimum: 1 }),
    alpha: Type.Number(),
    settings: Type.Unsafe<Readonly<Record<string, string | number>>>({
      type: "object",
      additionalProperties: { type: ["string", "number"] },
    }),
    steps: Type.Integer({
      minimum: 0,
      description: "After how many steps the held-out loss was the smallest: what is kept.",
    }),
    tokens: Type.Integer({ minimum: 0, description: "Of the text, without what is held out." }),
    held_out_loss_before: loss("Of the held-out part, before the training."),
    held_out_loss: loss("Of the held-out part, after it."),
    curve: Type.Array(LearningPoint),
  },
  { title: "AdapterFacts" },
);
export type AdapterFacts = Static<typeof AdapterFacts>;

export const Model = Type.Object(
  {
    title: Type.String(),
    id: Id,
    updated_at: Timestamp,
    created_at: Timestamp,
    model_name: Type.String({ description: "What was asked for.", examples: ["PaLM2"] }),
    training_data_type: Type.Enum(["text", "file", "crawler"]),
    status: ModelStatusSchema,
    stage: nullable(Type.String({ description: "What the training is doing; null once it has ended." })),
    progress: Type.Number({ minimum: 0, maximum: 1, description: "The share of the training that is done." }),
    event_id: nullable(Id),
    deadline: nullable(Timestamp),
    engine: nullable(Type.String({ description: "What really trains and answers.", examples: ["local-reader"] })),
    base: nullable(Type.String({ description: "The weights it was trained on, where it has any." })),
    retrieval: nullable(Type.String({ description: "How its passages are searched.", examples: ["lexical"] })),
    failure: nullable(Failure),
    is_current: Type.Boolean({ description: "Whether the chatbot answers with this model." }),
    evaluation: nullable(Evaluation),
    adapter: nullable(AdapterFacts),
  },
  { title: "Model" },
);
export type Model = Static<typeof Model>;

export const ModelList = Type.Object({ models: Type.Array(Model) });

export const TrainRequest = Type.Object({
  text: readable({
    description: "The text to train on. Its size in UTF-8 is limited by the server, by default to 20,000,000 bytes.",
    examples: ["The office opens at nine."],
  }),
  title: readable({
    description: "A title for the trained model.",
    maxLength: limits.titleCharacters,
    examples: ["Handbook"],
  }),
  model_name: Type.Enum([...modelNames], { default: "PaLM2" }),
});

export const TrainReply = Type.Object({
  id: Type.String({ format: "uuid", description: "The new model's id." }),
  event_id: Type.String({
    format: "uuid",
    description: "The training's event: follow it at events/{event_id}/stream.",
  }),
  deadline: Type.Unsafe<Date>({
    type: "string",
    format: "date-time",
    description: "The training has ended by then, one way or the other.",
  }),
  status: ModelStatusSchema,
});

export const PinRequest = Type.Object({
  id: nullable(
    Type.String({
      format: "uuid",
      description: "The model that answers from now on; null: always the latest that is ready.",
    }),
  ),
});

export const TrainingDataText = Type.Object({
  id: Id,
  title: Type.String(),
  text: Type.String({ description: "The text as it was sent: citations count its Unicode code points." }),
  text_sha256: Type.String({ description: "SHA-256 of the text in UTF-8, in hexadecimal." }),
});
