import assert from "node:assert/strict";
import { createChatbot } from "../apps/caigun/src/commands/keys.ts";
import { readAnnouncement, readSecret } from "../apps/caigun/src/home/index.ts";
import {
  type AccountId,
  createAccount,
  findFirstAccount,
  openStore,
  type Store,
} from "../apps/caigun/src/store/index.ts";
import { type CallOptions, type RunningCaigun, trained } from "./caigun.ts";

export type TrainReply = { id: string; event_id: string; deadline: string; status: string };
export type ModelReply = Record<string, unknown> & { id: string; status: string };
export type CitationReply = {
  training_data_id: string;
  title: string;
  start: number;
  end: number;
  quote: string;
  text_sha256: string;
};
export type ConversationReply = {
  text: string;
  answered: boolean;
  citations: CitationReply[];
  engine: string;
  model_id: string;
  message_id: string;
  base?: string;
  base_because?: string | null;
  question?: string;
  retrieval?: string;
  confidence?: number;
  wording?: { writer: string; outcome: string; sent: number; dropped: number };
  candidate?: { text: string; citations: CitationReply[] };
  passages?: { training_data_id: string; start: number; end: number; score: number }[];
};
export type ErrorReply = { detail: string; code: string; request_id: string; errors?: unknown[] };

/** One chatbot of a running server, as its key sees it; paths are those below /api/external/chatbot/. */
export class Chatbot {
  readonly caigun: RunningCaigun;
  readonly apiKey: string;

  constructor(caigun: RunningCaigun, apiKey = caigun.apiKey) {
    this.caigun = caigun;
    this.apiKey = apiKey;
  }

  call(path: string, options: CallOptions = {}): Promise<Response> {
    const absolute = path.startsWith("/") ? path : `/api/external/chatbot/${path}`;
    return this.caigun.call(absolute, { apiKey: this.apiKey, ...options });
  }

  /** The body of a 200. */
  async get<Body>(path: string, options: CallOptions = {}): Promise<Body> {
    const response = await this.call(path, options);
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return body as Body;
  }

  train(text: string, { title = "Text", ...more }: { title?: string; model_name?: string } = {}): Promise<TrainReply> {
    return this.get("train", { method: "POST", json: { text, title, ...more } });
  }

  /** Trains a model and waits until it is ready. */
  async ready(text: string, title?: string): Promise<ModelReply> {
    const model = await trained(this.caigun, await this.train(text, title ? { title } : {}), this.apiKey);
    assert.equal(model.status, "ready", JSON.stringify(model));
    return model as ModelReply;
  }

  say(text: string, { uid = "someone", query = "", headers = {} } = {}): Promise<Response> {
    return this.call(`conversation${query}`, { method: "POST", headers: { uid, ...headers }, json: { text } });
  }

  async ask(text: string, options: Parameters<Chatbot["say"]>[1] = {}): Promise<ConversationReply> {
    const response = await this.say(text, options);
    const body = await response.json();
    assert.equal(response.status, 200, JSON.stringify(body));
    return body as ConversationReply;
  }
}

/** The store of a running server and what seals its keys, as the command line opens them. */
export type OpenHouse = AsyncDisposable & { store: Store; sealingKey: Buffer };

export async function openHouse(caigun: RunningCaigun): Promise<OpenHouse> {
  const { databaseUrl } = (await readAnnouncement(caigun.home))!;
  const sealingKey = (await readSecret(caigun.home, "encryption-key"))!;
  const store = openStore(databaseUrl, { maxConnections: 2, onError: () => {} });
  return { store, sealingKey, [Symbol.asyncDispose]: () => store.close() };
}

/** A chatbot of a new account, made by the commands. */
export async function newAccountsChatbot(caigun: RunningCaigun, house: OpenHouse): Promise<Chatbot> {
  const { id } = await createAccount(house.store.db, { name: "another" });
  return newChatbot(caigun, house, id);
}

/** A chatbot beside the first one, of the first account unless another is given. */
export async function newChatbot(caigun: RunningCaigun, house: OpenHouse, account?: AccountId): Promise<Chatbot> {
  const owner = account ?? (await findFirstAccount(house.store.db))!.id;
  const { apiKey } = await createChatbot(house, owner, "Another chatbot");
  return new Chatbot(caigun, apiKey);
}

export type ServerSentEvent = { event: string; id: string | undefined; data: Record<string, unknown> };

/** The events of a stream that has ended. */
export function readEvents(stream: string): ServerSentEvent[] {
  return stream
    .split("\n\n")
    .filter((block) => block.startsWith("event: "))
    .map((block) => {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
      return { event: field("event")!, id: field("id"), data: JSON.parse(field("data")!) };
    });
}

/** Fails unless a reply is an error with this status and code, in the one error body, and returns that body. */
export async function assertProblem(response: Response, status: number, code: string): Promise<ErrorReply> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  const body = JSON.parse(text) as ErrorReply;
  assert.equal(body.code, code, text);
  assert.equal(typeof body.detail, "string");
  assert.match(body.detail, /^[A-Z].*\.$/s, "the detail is a sentence");
  assert.equal(body.request_id, response.headers.get("x-request-id"));
  return body;
}
