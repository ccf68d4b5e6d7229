import { Problem, type Route, type StreamedEvent } from "@caigun/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import { negotiate } from "./accept.ts";
import { type BodyBudget, bodyLimits, readBody } from "./body.ts";
import { EventStream } from "./event-stream.ts";
import { hangUpSignal } from "./exchange.ts";
import { fingerprintOf, once, readIdempotencyKey } from "./idempotency.ts";
import { inputReader } from "./input.ts";
import type { Caller, FileReply, Hooks, IdempotencyPort, ServerConfig, StoredReply } from "./ports.ts";
import { errorBody } from "./refusals.ts";

export const json = "application/json";
const eventStream = "text/event-stream";
const jsonUtf8 = "application/json; charset=utf-8";

/** A command as the machinery sees it; the route table's types hold between `CommandsFor` and the commands. */
export type AnyCommand<C extends Caller, Db> = (caller: C, input: never, hooks: Hooks<Route, Db>) => Promise<unknown>;

export interface OperationContext<C extends Caller, Db> {
  readonly idempotency: IdempotencyPort<C, Db>;
  readonly config: ServerConfig;
  readonly budget: BodyBudget;
  /** Aborted when the server closes: event streams end then. */
  readonly closing: AbortSignal;
  /** Turns what was thrown into what the caller is told, and keeps the rest for the log. */
  readonly toProblem: (error: unknown, request: FastifyRequest) => Problem;
}

/** Makes the handler of one route: negotiates, reads, validates, runs the command and writes its reply. */
export function operationHandler<C extends Caller, Db>(
  route: Route,
  command: AnyCommand<C, Db>,
  context: OperationContext<C, Db>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const readInput = inputReader(route);
  const limits = bodyLimits(route, context.config.maxTextBytes);
  const offered = offeredBy(route);

  return async (request, reply) => {
    const accepted = negotiate(request.headers.accept, offered);
    if (accepted === undefined) throw notAcceptable(offered);
    const key = route.idempotent ? readIdempotencyKey(request.headers["idempotency-key"]) : undefined;
    const { exchange } = request;
    const body = route.body
      ? await readBody(
          request.raw,
          limits,
          () => exchange.sendContinue?.(),
          (bytes) => {
            exchange.countedBody ??= context.budget.open(exchange.caller?.keyId ?? "");
            exchange.countedBody.grow(bytes);
          },
        )
      : undefined;
    const input = readInput({
      params: request.params as Record<string, unknown>,
      query: request.query as Record<string, unknown>,
      headers: request.headers,
      body,
    });
    const call: Call<C, Db> = {
      route,
      caller: exchange.caller as C,
      input: input as never,
      key,
      signal: hangUpSignal(reply),
      requestId: request.id,
      command,
    };
    if (route.streams === "events") return streamEvents(call, request, reply, context);
    if (route.streams === "file") return sendFile(call, reply);
    if (accepted === eventStream) return streamDeltas(call, request, reply, context);
    const { reply: stored, replayed } = await perform(call, context.idempotency, {});
    if (replayed) reply.header("idempotent-replayed", "true");
    return reply.code(stored.status).header("content-type", stored.contentType).send(stored.body);
  };
}

/** The media types that a route can reply with. */
function offeredBy(route: Route): readonly string[] {
  if (route.streams === "events") return [eventStream];
  if (route.streams === "deltas") return [json, eventStream];
  return route.mediaTypes ?? [json];
}

interface Call<C extends Caller, Db> {
  readonly route: Route;
  readonly caller: C;
  readonly input: never;
  readonly key: string | undefined;
  readonly signal: AbortSignal;
  readonly requestId: string;
  readonly command: AnyCommand<C, Db>;
}

/** Runs a command that replies, once for its Idempotency-Key. */
async function perform<C extends Caller, Db>(
  call: Call<C, Db>,
  port: IdempotencyPort<C, Db>,
  extra: Pick<Hooks<Route, Db>, "emit">,
): Promise<{ readonly reply: StoredReply; readonly replayed: boolean }> {
  const { route, caller, input, key, signal, requestId, command } = call;
  const hooks = { requestId, signal, ...extra };
  if (key === undefined) return { reply: present(await command(caller, input, hooks)), replayed: false };
  const request = { caller, key, fingerprint: fingerprintOf(route.operationId, input), signal };
  return once(port, request, async (record) => {
    const recordReply = (db: Db, reply: unknown) => record(db, present(reply));
    return present(await command(caller, input, { ...hooks, recordReply }));
  });
}

/** A reply as it goes out. A Date becomes `2023-11-06T09:09:41.552Z`; fields beside the documented ones are kept. */
function present(reply: unknown): StoredReply {
  return { status: 200, contentType: jsonUtf8, body: JSON.stringify(reply) };
}

/** Sends a file as it comes off the disk; it is let go where nobody takes it to its end. */
async function sendFile<C extends Caller, Db>(call: Call<C, Db>, reply: FastifyReply): Promise<FastifyReply> {
  const hooks = { requestId: call.requestId, signal: call.signal };
  const { fileName, mediaType, bytes, body } = (await call.command(call.caller, call.input, hooks)) as FileReply;
  const letGo = () => body.destroy();
  if (call.signal.aborted) letGo();
  call.signal.addEventListener("abort", letGo, { once: true });
  return reply
    .header("content-type", mediaType)
    .header("content-length", bytes)
    .header("content-disposition", attachment(fileName))
    .send(body);
}

/** Has a browser save the reply, under a name in any script (RFC 6266). */
function attachment(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const encoded = encodeURIComponent(fileName).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** Sends the pieces of a reply as they come, then the whole of it. */
async function streamDeltas<C extends Caller, Db>(
  call: Call<C, Db>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: OperationContext<C, Db>,
): Promise<unknown> {
  const stream = openLater(reply, context.config);
  let sent = "";
  const emit = async (text: string) => {
    sent += text;
    await stream.send({ event: "delta", data: { text } });
  };
  try {
    const { reply: stored, replayed } = await perform(call, context.idempotency, { emit });
    const whole = JSON.parse(stored.body) as { readonly text?: unknown };
    const text = typeof whole.text === "string" ? whole.text : "";
    if (!text.startsWith(sent)) throw new Error(`${call.route.operationId} emitted other text than it replied`);
    // A head can say this only where nothing has been sent yet, which is so with a replay.
    if (replayed && !stream.isOpen) reply.header("idempotent-replayed", "true");
    if (text.length > sent.length) await emit(text.slice(sent.length));
    await stream.send({ event: "done", data: whole });
    stream.end();
  } catch (error) {
    return failStream(error, stream, request, reply, context);
  }
  return reply;
}

/** Sends events until there are no more, the client hangs up, or the server closes. */
async function streamEvents<C extends Caller, Db>(
  call: Call<C, Db>,
  request: FastifyRequest,
  reply: FastifyReply,
  context: OperationContext<C, Db>,
): Promise<unknown> {
  const stream = openLater(reply, context.config);
  // Followers can come back with Last-Event-ID, so that a closing server need not wait for what they follow.
  const signal = AbortSignal.any([call.signal, context.closing]);
  try {
    const hooks = { requestId: call.requestId, signal };
    const events = (await call.command(call.caller, call.input, hooks)) as AsyncIterable<StreamedEvent>;
    stream.open();
    for await (const event of untilAborted(events, signal)) await stream.send(event);
    stream.end();
  } catch (error) {
    return failStream(error, stream, request, reply, context);
  }
  return reply;
}

/** A stream that has begun ends with an error event; before that the reply is an ordinary error. */
async function failStream<C extends Caller, Db>(
  error: unknown,
  stream: EventStream,
  request: FastifyRequest,
  reply: FastifyReply,
  context: OperationContext<C, Db>,
): Promise<FastifyReply> {
  if (!stream.isOpen) {
    stream.release();
    throw error;
  }
  const problem = context.toProblem(error, request);
  await stream.send({ event: "error", data: JSON.parse(errorBody(problem, request.id)) });
  stream.end();
  return reply;
}

function openLater(reply: FastifyReply, config: ServerConfig): EventStream {
  const begin = () => {
    reply.hijack();
    const headers = {
      ...reply.getHeaders(),
      "content-type": `${eventStream}; charset=utf-8`,
      "x-accel-buffering": "no",
    };
    reply.raw.writeHead(200, headers as Record<string, string>);
    reply.raw.flushHeaders();
  };
  return new EventStream(reply.raw, begin, config.heartbeatMs);
}

/** Ends at the abort, even where the source does not. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  const ended = { done: true, value: undefined } as const;
  const aborted = new Promise<typeof ended>((resolve) => {
    if (signal.aborted) resolve(ended);
    signal.addEventListener("abort", () => resolve(ended), { once: true });
  });
  try {
    for (;;) {
      const next = iterator.next();
      const result = await Promise.race([next, aborted]);
      if (result === ended) {
        // It may still fail after nobody listens any more.
        next.catch(() => undefined);
        return;
      }
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // Not awaited: a source that is stuck would hold up the end of the reply.
    Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function notAcceptable(offered: readonly string[]): Problem {
  return new Problem(
    "not_acceptable",
    `This call replies with ${offered.join(" or ")}. Accept it, or leave the Accept header out.`,
  );
}
