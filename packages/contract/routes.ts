import { type Static, type TObject, type TSchema, Type } from "typebox";
import {
  ConversationQuery,
  ConversationReply,
  ConversationRequest,
  MessageList,
  MessagesQuery,
  UidHeader,
  UidList,
  UidsQuery,
} from "./conversations.ts";
import { Detail, Id, nullable } from "./fields.ts";
import { Learning, Model, ModelList, PinRequest, TrainingDataText, TrainReply, TrainRequest } from "./models.ts";
import type { ProblemCode } from "./problems.ts";
import { Settings, SettingsChange } from "./settings.ts";
import { AnswerReply, AnswerRequest, UnansweredList, UnansweredQuery } from "./unanswered.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * One call of the API. Everything about it stands here: the server validates by it, the OpenAPI document and the types
 * are made from it. A property with a `default` is always there for the command, and optional for the caller.
 */
export interface Route {
  readonly operationId: string;
  readonly method: Method;
  /** Parameters are written `{name}`. */
  readonly path: string;
  /** Other spellings of the same path, with the same parameters. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly auth: "api-key" | "none";
  /** Takes an Idempotency-Key. */
  readonly idempotent?: true;
  /**
   * `deltas`: sends the reply in pieces where the caller accepts text/event-stream. `events`: sends nothing but events.
   * `file`: sends a file of one of the `mediaTypes`, and no JSON.
   */
  readonly streams?: "deltas" | "events" | "file";
  readonly mediaTypes?: readonly string[];
  readonly params?: TObject;
  readonly query?: TObject;
  readonly headers?: TObject;
  readonly body?: TObject;
  /** The body of the 200; for `events`, the data of one event. */
  readonly reply: TSchema;
  /** The codes that are this call's own; `commonProblems` come with every call. */
  readonly problems: readonly ProblemCode[];
  /** What an id in the path that is no UUID gets: the same as one that never was. */
  readonly unknownId?: ProblemCode;
}

const prefix = "/api/external/chatbot";
const at = (path: string) => ({ path: `${prefix}/${path}`, aliases: [`/api/chatbot/${path}`] }) as const;

const ModelParams = Type.Object({ id: Id });

/** Stands for the bytes of a `file`. */
const FileBytes = Type.Unsafe<Uint8Array>({});

export const adapterFormats = ["peft", "gguf", "merged-gguf"] as const;
export type AdapterFormat = (typeof adapterFormats)[number];

/** What happened to a training, as its event stream tells it. */
export const ProgressData = Type.Object(
  {
    event_id: Id,
    model_id: Id,
    status: Model.properties.status,
    stage: Model.properties.stage,
    progress: Model.properties.progress,
    learning: nullable(Learning),
    failure: Model.properties.failure,
  },
  { title: "Progress" },
);

export const progressEvents = ["progress", "completed", "failed", "cancelled"] as const;

const define = <const R extends Route>(route: R): R => route;

export const routes = [
  define({
    operationId: "trainModel",
    method: "POST",
    ...at("train"),
    summary: "Train a model",
    description:
      "Trains a new model on a text. The reply comes at once; follow the training by its event or the list of models.",
    auth: "api-key",
    idempotent: true,
    body: TrainRequest,
    reply: TrainReply,
    problems: ["text_too_large"],
  }),
  define({
    operationId: "listModels",
    method: "GET",
    ...at("models"),
    summary: "List the models",
    description: "All models of the chatbot, newest first.",
    auth: "api-key",
    reply: ModelList,
    problems: [],
  }),
  define({
    operationId: "getModel",
    method: "GET",
    ...at("models/{id}"),
    summary: "Get a model",
    description: "One model, as it stands in the list.",
    auth: "api-key",
    params: ModelParams,
    reply: Model,
    problems: ["model_not_found", "model_deleted"],
    unknownId: "model_not_found",
  }),
  define({
    operationId: "deleteModel",
    method: "DELETE",
    ...at("models/{id}"),
    summary: "Delete a model",
    description: "Takes effect at once: nothing of it is found any more. A training that still runs is stopped.",
    auth: "api-key",
    params: ModelParams,
    reply: Detail,
    problems: ["model_not_found", "model_deleted"],
    unknownId: "model_not_found",
  }),
  define({
    operationId: "cancelTraining",
    method: "POST",
    ...at("models/{id}/cancel"),
    summary: "Cancel a training",
    description: "Stops the training of a model.",
    auth: "api-key",
    params: ModelParams,
    reply: Model,
    problems: ["model_not_found", "model_deleted", "not_running"],
    unknownId: "model_not_found",
  }),
  define({
    operationId: "exportAdapter",
    method: "GET",
    ...at("models/{id}/adapter"),
    summary: "Take an adapter away",
    description:
      'What a model with `model_name` "gpt2" learned, as a file for other programs: a zip archive that Hugging Face\'s PEFT loads once unpacked, an adapter for llama.cpp, or one model for llama.cpp with the adapter merged into its base.',
    auth: "api-key",
    streams: "file",
    mediaTypes: ["application/zip", "application/octet-stream"],
    params: ModelParams,
    query: Type.Object({
      format: Type.Enum([...adapterFormats], {
        default: "peft",
        description: "`peft`: a zip archive. `gguf`, `merged-gguf`: GGUF files.",
      }),
    }),
    reply: FileBytes,
    problems: ["model_not_found", "model_deleted", "model_not_ready", "no_adapter", "base_missing"],
    unknownId: "model_not_found",
  }),
  define({
    operationId: "pinModel",
    method: "PATCH",
    ...at("model_id"),
    summary: "Choose the model that answers",
    description: "The chatbot answers with this model from now on; with `null`, with the latest one that is ready.",
    auth: "api-key",
    body: PinRequest,
    reply: Detail,
    problems: ["model_not_found", "model_deleted", "model_not_ready"],
  }),
  define({
    operationId: "converse",
    method: "POST",
    ...at("conversation"),
    summary: "Talk to the chatbot",
    description: "Sends a text and gets the chatbot's reply, with the places in its training data that it rests on.",
    auth: "api-key",
    idempotent: true,
    streams: "deltas",
    query: ConversationQuery,
    headers: UidHeader,
    body: ConversationRequest,
    reply: ConversationReply,
    problems: ["no_model"],
  }),
  define({
    operationId: "listMessages",
    method: "GET",
    ...at("messages"),
    summary: "List the messages of a conversation",
    description: "What was said in the conversation that `uid` names, newest first.",
    auth: "api-key",
    query: MessagesQuery,
    headers: UidHeader,
    reply: MessageList,
    problems: [],
  }),
  define({
    operationId: "listConversations",
    method: "GET",
    path: `${prefix}/conversation/uids`,
    aliases: [`${prefix}/conversation_uids`, "/api/chatbot/conversation/uids", "/api/chatbot/conversation_uids"],
    summary: "List the conversations",
    description: "Who talked to the chatbot in a period, by when it last sent something, newest first.",
    auth: "api-key",
    query: UidsQuery,
    reply: UidList,
    problems: [],
  }),
  define({
    operationId: "streamEvent",
    method: "GET",
    ...at("events/{event_id}/stream"),
    summary: "Follow a training",
    description:
      "Server-sent events: `progress` as the training goes on, then one `completed`, `failed` or `cancelled`, which ends the stream.",
    auth: "api-key",
    streams: "events",
    params: Type.Object({ event_id: Id }),
    headers: Type.Object({
      "last-event-id": Type.Optional(
        Type.String({
          maxLength: 255,
          description: "The id of the last event that was received, to go on from there.",
        }),
      ),
    }),
    reply: ProgressData,
    problems: ["event_not_found"],
    unknownId: "event_not_found",
  }),
  define({
    operationId: "getTrainingDataText",
    method: "GET",
    ...at("training_data/{id}/text"),
    summary: "Get the text of a training data",
    description: "The text that citations of this training data count in.",
    auth: "api-key",
    params: ModelParams,
    reply: TrainingDataText,
    problems: ["training_data_not_found"],
    unknownId: "training_data_not_found",
  }),
  define({
    operationId: "getSettings",
    method: "GET",
    ...at("settings"),
    summary: "Get the settings",
    description: "How the chatbot answers.",
    auth: "api-key",
    reply: Settings,
    problems: [],
  }),
  define({
    operationId: "changeSettings",
    method: "PATCH",
    ...at("settings"),
    summary: "Change the settings",
    description: "Changes what is sent and leaves the rest; replies with all of them. Holds from the next question on.",
    auth: "api-key",
    body: SettingsChange,
    reply: Settings,
    problems: ["writer_not_configured"],
  }),
  define({
    operationId: "listUnanswered",
    method: "GET",
    ...at("unanswered"),
    summary: "List the unanswered questions",
    description:
      "What people asked and the chatbot refused or was not sure of, the same in other words taken together, most asked first. At most 1,000 are kept.",
    auth: "api-key",
    query: UnansweredQuery,
    reply: UnansweredList,
    problems: [],
  }),
  define({
    operationId: "answerUnanswered",
    method: "POST",
    ...at("unanswered/{id}/answer"),
    summary: "Answer an unanswered question",
    description:
      "Stores the answer as training data that every later training holds beside its text, and takes the question off the list. Answering again replaces the earlier answer.",
    auth: "api-key",
    idempotent: true,
    params: ModelParams,
    body: AnswerRequest,
    reply: AnswerReply,
    problems: ["unanswered_not_found"],
    unknownId: "unanswered_not_found",
  }),
  define({
    operationId: "dropUnanswered",
    method: "DELETE",
    ...at("unanswered/{id}"),
    summary: "Take a question off the list",
    description: "It comes back where it is asked again and not answered.",
    auth: "api-key",
    params: ModelParams,
    reply: Detail,
    problems: ["unanswered_not_found"],
    unknownId: "unanswered_not_found",
  }),
] as const;

type Routes = (typeof routes)[number];
export type OperationId = Routes["operationId"];
export type RouteOf<Id extends OperationId> = Extract<Routes, { operationId: Id }>;

type Part<R, Name extends string> = R extends Record<Name, infer S extends TSchema> ? Static<S> : unknown;
type Flat<T> = { [K in keyof T]: T[K] };

/** What a command is given: the validated path, query, headers and body of the call in one object. */
export type InputOf<R extends Route> = Flat<
  Part<R, "params"> & Part<R, "query"> & Part<R, "headers"> & Part<R, "body">
>;
/** What a command returns. More fields may stand beside these; they are sent as they are. */
export type ReplyOf<R extends Route> = Static<R["reply"]>;

export type Input<Id extends OperationId> = InputOf<RouteOf<Id>>;
export type Reply<Id extends OperationId> = ReplyOf<RouteOf<Id>>;

/** One event of an `events` stream. */
export interface StreamedEvent<Data = unknown> {
  readonly event: string;
  readonly id: string;
  readonly data: Data;
}
