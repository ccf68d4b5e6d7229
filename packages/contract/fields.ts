import { Type } from "typebox";

/** Limits that the schemas state, counted in Unicode code points. */
export const limits = {
  titleCharacters: 1_000,
  questionCharacters: 32_000,
  uidCharacters: 255,
  listLength: 1_000,
  /** A group holds up to ten wordings. */
  unansweredListLength: 100,
} as const;

export const Id = Type.String({ format: "uuid", description: "A UUID." });

/** A time in a reply: a Date in the program, `2023-11-06T09:09:41.552Z` on the wire (what JSON.stringify makes of a Date). */
export const Timestamp = Type.Unsafe<Date>({
  type: "string",
  format: "date-time",
  description: "UTC, with milliseconds.",
  examples: ["2023-11-06T09:09:41.552Z"],
});

/** A time in a request: text on the wire, a Date for the command. `x-moment` says what a bare date means: its first or its last moment. */
export function moment(edge: "start" | "end", description: string) {
  return Type.Unsafe<Date>({
    type: "string",
    "x-moment": edge,
    description,
    examples: ["2023-11-06", "2023-11-06T09:09:41.552Z"],
  });
}

/** Text that a person can read: not empty and not white space alone. */
export function readable(options: {
  description: string;
  maxLength?: number;
  examples?: string[];
  "x-words"?: boolean;
}) {
  return Type.String({ minLength: 1, pattern: "\\S", ...options });
}

/** Text that says something: it holds a letter or a digit, and not signs alone. No pattern that all languages' clients know tells that. */
export function worded(options: { description: string; maxLength?: number; examples?: string[] }) {
  return readable({ ...options, "x-words": true });
}

/** What a form field says where JSON would say null: nothing, or the word in JavaScript's or Python's spelling. */
export const formNulls = ["", "null", "None"] as const;

export function nullable<T extends Parameters<typeof Type.Union>[0][number]>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

export const Detail = Type.Object({ detail: Type.String() });

export const ErrorBody = Type.Object(
  {
    detail: Type.String({ description: "A sentence that says what to do." }),
    code: Type.String({ description: "Stable; see docs/errors.md." }),
    request_id: Type.String({ description: "Name it when you report a problem; also sent as X-Request-Id." }),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          loc: Type.Array(Type.Union([Type.String(), Type.Integer()])),
          msg: Type.String(),
          type: Type.String(),
        }),
      ),
    ),
  },
  { title: "Error" },
);
