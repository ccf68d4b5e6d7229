import type { Readable } from "node:stream";
import type { InputOf, Problem, ReplyOf, Route, routes, StreamedEvent } from "@caigun/contract";
import type { Logger } from "pino";
import type { Registry } from "prom-client";

/** On whose behalf a request runs, once its key has been checked. */
export interface Caller {
  readonly keyId: string;
  readonly chatbotId: string;
  readonly accountId: string;
}

export interface Hooks<R extends Route, Db> {
  readonly requestId: string;
  /** Aborted when the client hangs up or the closing server cuts it off: nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /** There where the caller wants the reply in pieces. The pieces joined must equal the reply's `text`. Resolves when the client has room for more. */
  readonly emit?: (text: string) => Promise<void>;
  /**
   * There where the request has an Idempotency-Key. A command that writes calls it inside its transaction, so that the
   * reply that later calls get commits with the rows; otherwise the reply is recorded once the command has returned.
   */
  readonly recordReply?: (db: Db, reply: ReplyOf<R>) => Promise<void>;
}

/** A file that is sent as it comes off the disk. `body` is read once, or destroyed. */
export interface FileReply {
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly body: Readable;
}

/** An `events` route returns its events, a `file` route its file, every other its reply. Failures are thrown as `Problem`. */
export type CommandResult<R extends Route> = R extends { streams: "events" }
  ? AsyncIterable<StreamedEvent<ReplyOf<R>>>
  : R extends { streams: "file" }
    ? FileReply
    : ReplyOf<R>;

export type Command<R extends Route, C extends Caller, Db> = (
  caller: C,
  input: InputOf<R>,
  hooks: Hooks<R, Db>,
) => Promise<CommandResult<R>>;

/** One command for every route of a table. */
export type CommandsFor<Rs extends readonly Route[], C extends Caller, Db> = {
  readonly [R in Rs[number] as R["operationId"]]: Command<R, C, Db>;
};

export type Commands<C extends Caller = Caller, Db = unknown> = CommandsFor<typeof routes, C, Db>;

export interface StoredReply {
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
}

/** `claim` tells this request apart from a later one that takes the key over because this one did not end in time. */
export type Beginning =
  | { readonly state: "new"; readonly claim: number }
  | { readonly state: "running" | "mismatch" }
  | ({ readonly state: "done" } & StoredReply);

/** Remembers replies by the owner and the caller's Idempotency-Key. `fingerprint` stands for the operation and its input. */
export interface IdempotencyPort<C extends Caller, Db> {
  begin(caller: C, key: string, fingerprint: string): Promise<Beginning>;
  /** Keeps a success. With `db`, as a part of that transaction. */
  finish(caller: C, key: string, claim: number, reply: StoredReply, db?: Db): Promise<void>;
  /** The request failed: the key can be used again. Leaves alone a reply that is kept already, whose transaction was committed. */
  abandon(caller: C, key: string, claim: number): Promise<void>;
  /** Resolves when a running request may have ended, or after a short while; the caller then begins again. Rejects on abort. */
  wait(caller: C, key: string, signal: AbortSignal): Promise<void>;
}

export interface Readiness {
  readonly ok: boolean;
  /** What was looked at, e.g. `{ database: "ok", worker: "not reachable" }`. Never holds secrets: anyone can read it. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface ServerConfig {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The address the OpenAPI document names; by default that of the request. */
  readonly publicUrl?: string;
  readonly version: string;
  /** Of a text, in UTF-8. */
  readonly maxTextBytes: number;
  /**
   * Of all large request bodies that are in memory at one time, of which one key may hold a quarter; a request that would
   * exceed either is told to come back. Four times the largest body, or more: else that one never fits.
   */
  readonly maxBodyBytesInFlight: number;
  /** Per key and per address; 0: no limit. */
  readonly rateLimitPerMinute: number;
  readonly maxConnections: number;
  readonly headersTimeoutMs: number;
  /** For a whole request, body included, to arrive. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Between the comment lines that keep an event stream open. */
  readonly heartbeatMs: number;
  /** Believe the last address in X-Forwarded-For: only behind a proxy that appends it. */
  readonly trustProxy: boolean;
}

export interface ServerPorts<Rs extends readonly Route[], C extends Caller, Db> {
  readonly commands: CommandsFor<Rs, C, Db>;
  /** The holder of a live key; undefined for a mistyped, unknown or revoked one. */
  readonly authenticate: (key: string) => Promise<C | undefined>;
  readonly idempotency: IdempotencyPort<C, Db>;
  readonly ready: () => Promise<Readiness>;
  /** What the caller is told about an error that is no `Problem`, e.g. `unavailable` where the database cannot be reached; undefined: `internal_error`. */
  readonly explainError?: (error: unknown) => Problem | undefined;
  readonly config: ServerConfig;
  readonly log: Logger;
  /** Served at /metrics; the server adds its own. */
  readonly metrics: Registry;
}
