import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";
import type { Problem, Route } from "@caigun/contract";
import { pino } from "pino";
import { Registry } from "prom-client";
import { Type } from "typebox";
import type {
  Beginning,
  Caller,
  CommandsFor,
  IdempotencyPort,
  Readiness,
  ServerConfig,
  StoredReply,
} from "../apps/caigun/src/http/ports.ts";
import { createServerFor, type Server } from "../apps/caigun/src/http/server.ts";
import { errorFacts } from "../apps/caigun/src/log.ts";

/** A small table of routes with every trait that the server's machinery knows. */
export const echoRoutes = [
  {
    operationId: "echo",
    method: "POST",
    path: "/api/external/echo",
    aliases: ["/api/echo"],
    summary: "",
    description: "",
    auth: "api-key",
    query: Type.Object({
      nickname: Type.Optional(Type.String({ maxLength: 50 })),
      loud: Type.Boolean({ default: false }),
    }),
    headers: Type.Object({ uid: Type.Optional(Type.String({ maxLength: 20 })) }),
    body: Type.Object({
      text: Type.String({ minLength: 1 }),
      count: Type.Optional(Type.Integer({ minimum: 0, maximum: 10 })),
      kind: Type.Enum(["plain", "fancy"], { default: "plain" }),
      link: Type.Optional(Type.Union([Type.String({ format: "uuid" }), Type.Null()])),
    }),
    reply: Type.Unknown(),
    problems: [],
  },
  {
    operationId: "create",
    method: "POST",
    path: "/api/external/create",
    summary: "",
    description: "",
    auth: "api-key",
    idempotent: true,
    body: Type.Object({ text: Type.String({ minLength: 1, maxLength: 100 }) }),
    reply: Type.Unknown(),
    problems: [],
  },
  {
    operationId: "talk",
    method: "POST",
    path: "/api/external/talk",
    summary: "",
    description: "",
    auth: "api-key",
    idempotent: true,
    streams: "deltas",
    body: Type.Object({ text: Type.String({ minLength: 1, maxLength: 100_000 }) }),
    reply: Type.Unknown(),
    problems: [],
  },
  {
    operationId: "getThing",
    method: "GET",
    path: "/api/external/things/{id}",
    summary: "",
    description: "",
    auth: "api-key",
    params: Type.Object({ id: Type.String({ format: "uuid" }) }),
    reply: Type.Unknown(),
    problems: ["model_not_found"],
    unknownId: "model_not_found",
  },
  {
    operationId: "deleteThing",
    method: "DELETE",
    path: "/api/external/things/{id}",
    summary: "",
    description: "",
    auth: "api-key",
    params: Type.Object({ id: Type.String({ format: "uuid" }) }),
    reply: Type.Unknown(),
    problems: ["model_not_found"],
    unknownId: "model_not_found",
  },
  {
    operationId: "follow",
    method: "GET",
    path: "/api/external/follow",
    summary: "",
    description: "",
    auth: "api-key",
    streams: "events",
    headers: Type.Object({ "last-event-id": Type.Optional(Type.String()) }),
    reply: Type.Unknown(),
    problems: [],
  },
] as const satisfies readonly Route[];

export type EchoCommands = CommandsFor<typeof echoRoutes, Caller, undefined>;

export const goodKey = "good-key";
/** Of another chatbot. */
export const otherKey = "other-key";

const commands: EchoCommands = {
  echo: async (caller, input) => ({
    ...input,
    chatbot: caller.chatbotId,
    at: new Date(Date.UTC(2023, 10, 6, 9, 9, 41, 552)),
  }),
  create: async (_caller, input) => ({ made: input.text }),
  talk: async (_caller, input, { emit }) => {
    for (const piece of input.text.match(/\S+\s*/g) ?? []) await emit?.(piece);
    return { text: input.text };
  },
  getThing: async (_caller, { id }) => ({ id }),
  deleteThing: async () => ({ detail: "Delete thing successfully" }),
  follow: async () => ({
    async *[Symbol.asyncIterator]() {
      yield { event: "completed", id: "1", data: {} };
    },
  }),
};

/** Keeps replies in memory, for as long as the process lives. */
export class MemoryIdempotency implements IdempotencyPort<Caller, undefined> {
  readonly #known = new Map<string, { fingerprint: string; reply: StoredReply | undefined }>();

  async begin(caller: Caller, key: string, fingerprint: string): Promise<Beginning> {
    const name = `${caller.chatbotId} ${key}`;
    const known = this.#known.get(name);
    if (!known) {
      this.#known.set(name, { fingerprint, reply: undefined });
      return { state: "new", claim: 1 };
    }
    if (known.fingerprint !== fingerprint) return { state: "mismatch" };
    return known.reply ? { state: "done", ...known.reply } : { state: "running" };
  }

  async finish(caller: Caller, key: string, _claim: number, reply: StoredReply): Promise<void> {
    const known = this.#known.get(`${caller.chatbotId} ${key}`);
    if (known) known.reply = reply;
  }

  async abandon(caller: Caller, key: string): Promise<void> {
    const name = `${caller.chatbotId} ${key}`;
    if (!this.#known.get(name)?.reply) this.#known.delete(name);
  }

  async wait(_caller: Caller, _key: string, signal: AbortSignal): Promise<void> {
    await wait(5, undefined, { signal });
  }
}

export interface EchoServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly server: Server;
  /** The lines that were logged so far. A request's comes when its reply is out, which its client may see before. */
  readonly logged: Record<string, unknown>[];
  /** Resolves once so many lines were logged. */
  untilLogged(lines: number): Promise<void>;
}

export interface EchoServerOptions {
  readonly commands?: Partial<EchoCommands>;
  readonly config?: Partial<ServerConfig>;
  readonly explainError?: (error: unknown) => Problem | undefined;
  readonly ready?: () => Promise<Readiness>;
  readonly authenticate?: (key: string) => Promise<Caller | undefined>;
}

/** Starts a server over the echo routes on a free port. */
export async function startEchoServer(options: EchoServerOptions = {}): Promise<EchoServer> {
  const logged: Record<string, unknown>[] = [];
  const lineLogged = new EventEmitter();
  const sink = new Writable({
    write(chunk, _encoding, done) {
      logged.push(JSON.parse(String(chunk)));
      lineLogged.emit("line");
      done();
    },
  });
  const holders: Record<string, Caller> = {
    [goodKey]: { keyId: "key-1", chatbotId: "chatbot-1", accountId: "account-1" },
    [otherKey]: { keyId: "key-2", chatbotId: "chatbot-2", accountId: "account-1" },
  };
  const server = createServerFor(echoRoutes, {
    commands: { ...commands, ...options.commands },
    authenticate: options.authenticate ?? (async (key) => (Object.hasOwn(holders, key) ? holders[key] : undefined)),
    idempotency: new MemoryIdempotency(),
    ready: options.ready ?? (async () => ({ ok: true, checks: { database: "ok" } })),
    ...(options.explainError ? { explainError: options.explainError } : {}),
    config: {
      host: "127.0.0.1",
      port: 0,
      version: "0.0.0",
      maxTextBytes: 20_000_000,
      maxBodyBytesInFlight: 500_000_000,
      rateLimitPerMinute: 0,
      maxConnections: 10_000,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      keepAliveTimeoutMs: 5_000,
      heartbeatMs: 15_000,
      trustProxy: false,
      ...options.config,
    },
    log: pino({ serializers: { err: errorFacts } }, sink),
    metrics: new Registry(),
  });
  const { url } = await server.listen();
  return {
    url,
    port: Number(new URL(url).port),
    server,
    logged,
    untilLogged: async (lines) => {
      while (logged.length < lines) await once(lineLogged, "line");
    },
    [Symbol.asyncDispose]: () => server.close({ graceMs: 2_000 }),
  };
}

/** A bare connection: what is sent is exactly what is written. */
export interface RawConnection extends Disposable {
  readonly socket: Socket;
  send(bytes: string | Buffer): void;
  /** Resolves with all that came so far as soon as it matches. Rejects where the connection ends before that. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with all that came once the server has closed the connection. */
  toEnd(): Promise<string>;
}

export function rawConnection(port: number): RawConnection {
  const socket = connect(port, "127.0.0.1");
  let received = "";
  socket.setEncoding("utf8");
  socket.on("data", (text: string) => {
    received += text;
  });
  // A server that refuses a body may reset the connection after its reply.
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  return {
    socket,
    send: (bytes) => socket.write(bytes),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!pattern.test(received)) return;
          socket.off("data", look);
          resolve(received);
        };
        socket.on("data", look);
        void ended.then(() => reject(new Error(`the connection ended; it had sent ${JSON.stringify(received)}`)));
        look();
      }),
    toEnd: () => ended,
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** Sends bytes on a connection of their own and returns what came back until the server closed it. */
export async function exchangeRaw(port: number, bytes: string | Buffer): Promise<string> {
  using connection = rawConnection(port);
  connection.send(bytes);
  return await connection.toEnd();
}
