import { type Static, Type } from "typebox";
import { limits, nullable, readable } from "./fields.ts";

export const strictnesses = ["low", "normal", "high"] as const;
export const qualities = ["fast", "best"] as const;
/** What may write a chatbot's replies; `none`: they are quotes alone. */
export const writerNames = ["none", "google", "openai", "gguf"] as const;
export type WriterName = (typeof writerNames)[number];

const strictness = Type.Enum([...strictnesses], {
  description: "How sure the chatbot has to be before it answers: the higher, the more often it refuses.",
});
const quality = Type.Enum([...qualities], {
  description:
    "`best` reads ten passages instead of five where they are searched by their meaning; `fast` replies sooner.",
});
const refusal = nullable(
  readable({
    description:
      "What the chatbot says where its texts do not hold the answer; null: a sentence of its own, in the question's language.",
    maxLength: limits.titleCharacters,
    examples: ["Please ask us at 555 0142."],
  }),
);
const stayLocal = Type.Boolean({
  description: "Whether all that people say stays on this machine: no engine elsewhere writes a reply then.",
});

/** How a chatbot answers. */
export const Settings = Type.Object(
  {
    strictness,
    quality,
    refusal,
    stay_local: stayLocal,
    writer: Type.Enum([...writerNames], {
      description: "What writes the replies now: `none` where the one that was chosen may not or can't be used.",
    }),
  },
  { title: "Settings" },
);
export type Settings = Static<typeof Settings>;

/** What is left out stays as it is. */
export const SettingsChange = Type.Object({
  strictness: Type.Optional(strictness),
  quality: Type.Optional(quality),
  refusal: Type.Optional(refusal),
  stay_local: Type.Optional(stayLocal),
  writer: Type.Optional(
    nullable(
      Type.Enum([...writerNames], {
        description: "What writes the replies from now on; null: google where the server has a key for it, else none.",
      }),
    ),
  ),
});
