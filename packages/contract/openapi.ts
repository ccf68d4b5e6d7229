import type { TObject } from "typebox";
import { ErrorBody, formNulls } from "./fields.ts";
import { Problem, type ProblemCode, type ProblemStatus, problems } from "./problems.ts";
import type { Route } from "./routes.ts";

type Json = Record<string, unknown>;
type ObjectSchema = { properties: Record<string, Json>; required?: string[] };

export interface OpenApiOptions {
  readonly serverUrl: string;
  readonly version: string;
}

/** What any call can answer, whatever it does. */
export const commonProblems: readonly ProblemCode[] = [
  "malformed_request",
  "headers_too_large",
  "request_timeout",
  "unsupported_expectation",
  "not_acceptable",
  "rate_limited",
  "internal_error",
  "unavailable",
  "overloaded",
  "shutting_down",
];
const keyProblems: readonly ProblemCode[] = ["missing_api_key", "invalid_api_key", "invalid_access_token"];
const inputProblems: readonly ProblemCode[] = ["validation_failed", "invalid_characters"];
const bodyProblems: readonly ProblemCode[] = ["malformed_json", "malformed_form", "unsupported_media_type"];
const idempotencyProblems: readonly ProblemCode[] = ["invalid_idempotency_key", "idempotency_key_reused"];

/** Every code that a call can answer with. `method_not_allowed` is no call's: it is given for a path's other methods. */
export function problemsOf(route: Route): readonly ProblemCode[] {
  const hasInput = route.query || route.headers || route.body;
  return [
    ...commonProblems,
    ...(route.auth === "api-key" ? keyProblems : []),
    ...(hasInput ? inputProblems : []),
    ...(route.body ? [...bodyProblems, "body_too_large" as const] : []),
    ...(route.idempotent ? idempotencyProblems : []),
    ...(route.unknownId ? [route.unknownId] : []),
    ...route.problems,
  ].filter((code, place, all) => all.indexOf(code) === place);
}

/** The OpenAPI 3.1 document of a route table, made from the schemas that validate. */
export function openApiDocument(table: readonly Route[], options: OpenApiOptions): Json {
  const components = new Map<string, Json>();
  const paths: Record<string, Json> = {};
  for (const route of table) {
    paths[route.path] ??= {};
    (paths[route.path] as Json)[route.method.toLowerCase()] = operation(route, components);
  }
  transform(ErrorBody, components);
  return {
    openapi: "3.1.0",
    info: {
      title: "CaiGun API",
      version: options.version,
      description:
        "Train a chatbot on a text, then talk to it: it answers from the text, quotes the place, and says so when the text does not hold the answer.",
    },
    servers: [{ url: options.serverUrl }],
    tags: [{ name: "Chatbot" }],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "api-key", description: "A chatbot's API key." },
      },
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

function operation(route: Route, components: Map<string, Json>): Json {
  const parameters = [
    ...parametersIn("path", route.params, components),
    ...parametersIn("query", route.query, components),
    ...parametersIn("header", route.headers, components),
    ...(route.idempotent ? [idempotencyKey] : []),
  ];
  return {
    operationId: route.operationId,
    tags: ["Chatbot"],
    summary: route.summary,
    description: route.description,
    security: route.auth === "api-key" ? [{ apiKey: [] }] : [],
    ...(route.aliases ? { "x-aliases": route.aliases } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body ? { requestBody: requestBody(route.body, components) } : {}),
    responses: { 200: success(route, components), ...failures(route) },
  };
}

const idempotencyKey: Json = {
  name: "idempotency-key",
  in: "header",
  required: false,
  description:
    "Repeats of a request with the same key, within 24 hours, get the first one's reply and do nothing again.",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
};

function parametersIn(place: "path" | "query" | "header", schema: unknown, components: Map<string, Json>): Json[] {
  if (!schema) return [];
  const { properties, required = [] } = schema as ObjectSchema;
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = transform(property, components) as Json;
    return {
      name,
      in: place,
      required: place === "path" || (required.includes(name) && !("default" in property)),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    };
  });
}

/** A property with a default is always there for the command, but the caller may leave it out. */
function requestBody(schema: TObject, components: Map<string, Json>): Json {
  const { properties, required = [] } = schema as unknown as ObjectSchema;
  const needed = required.filter((name) => !("default" in (properties[name] ?? {})));
  const body = { ...(transform(schema, components) as Json), required: needed };
  const form = { schema: withTextForNull(body) };
  return {
    required: true,
    content: {
      "application/json": { schema: body },
      "multipart/form-data": form,
      "application/x-www-form-urlencoded": form,
    },
  };
}

function success(route: Route, components: Map<string, Json>): Json {
  if (route.streams === "file") return fileReply(route);
  const schema = transform(route.reply, components);
  // A stream's media type has no schema: OpenAPI 3.1 cannot describe single events.
  const content: Json = {
    ...(route.streams === "events" ? {} : { "application/json": { schema } }),
    ...(route.streams ? { "text/event-stream": {} } : {}),
  };
  const description = route.streams ? `Done. ${streamDescriptions[route.streams]}` : "Done.";
  return { description, headers: { "X-Request-Id": { schema: { type: "string" } } }, content };
}

function fileReply({ mediaTypes = [] }: Route): Json {
  const header = (description: string, type: string): Json => ({ description, schema: { type } });
  return {
    description: "The file.",
    headers: {
      "X-Request-Id": { schema: { type: "string" } },
      "Content-Length": header("Its size in bytes.", "integer"),
      "Content-Disposition": header("`attachment`, with a name for it.", "string"),
    },
    // Bytes have no schema.
    content: Object.fromEntries(mediaTypes.map((type) => [type, {}])),
  };
}

const streamDescriptions = {
  events:
    "Server-sent events: `progress`, then one of `completed`, `failed` and `cancelled`; the data of each is a Progress object.",
  deltas:
    'As text/event-stream, server-sent events: `delta` with `{"text"}` pieces, then `done` with the whole reply, or `error` with the error body.',
};

function failures(route: Route): Json {
  const byStatus = new Map<ProblemStatus, ProblemCode[]>();
  for (const code of problemsOf(route)) {
    const status = problems[code][0];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].sort(([a], [b]) => a - b);
  return Object.fromEntries(entries.map(([status, codes]) => [String(status), failure(status, codes)]));
}

function failure(status: ProblemStatus, codes: readonly ProblemCode[]): Json {
  const examples = codes.map((code) => {
    const { message: detail } = new Problem(code);
    return [code, { value: { detail, code, request_id: "5f3c2d0e-8f5a-4c1e-9d57-2f6f1f0f8a11" } }];
  });
  const retry = { "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } } };
  return {
    description: codes.map((code) => `\`${code}\``).join(", "),
    ...(status === 429 || status === 503 ? { headers: retry } : {}),
    content: {
      "application/json": { schema: { $ref: "#/components/schemas/Error" }, examples: Object.fromEntries(examples) },
    },
  };
}

/** A form has texts alone: these stand for null. */
function withTextForNull(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withTextForNull);
  if (typeof schema !== "object" || schema === null) return schema;
  if ("type" in schema && schema.type === "null") return { type: "string", enum: [...formNulls] };
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, withTextForNull(value)]));
}

/** A schema with a title becomes a component, so that generated clients have one type for it. */
function transform(schema: unknown, components: Map<string, Json>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => transform(item, components));
  if (typeof schema !== "object" || schema === null) return schema;
  const copy: Json = {};
  // Entries alone: what TypeBox hangs onto a schema for itself cannot be enumerated.
  for (const [name, value] of Object.entries(schema)) {
    copy[name] = transform(value, components);
  }
  if (copy["x-moment"]) {
    const { type, "x-moment": _, ...rest } = copy;
    return {
      ...rest,
      anyOf: [
        { type, format: "date" },
        { type, format: "date-time" },
        // Clients send what they have no value for as an empty text.
        { type, maxLength: 0 },
      ],
    };
  }
  // Generated clients want to be told what an enumeration's values are.
  if (Array.isArray(copy.enum) && copy.type === undefined) copy.type = "string";
  const { title } = schema as { title?: unknown };
  if (typeof title !== "string" || copy.type !== "object") return copy;
  components.set(title, copy);
  return { $ref: `#/components/schemas/${title}` };
}
