import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Problem, type Route, routes } from "@caigun/contract";
import Fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { BodyBudget } from "./body.ts";
import { limitLingering, ownRequestId } from "./exchange.ts";
import { type AnyCommand, operationHandler } from "./operations.ts";
import { allPaths, MethodTable, routerPath } from "./paths.ts";
import type { Caller, ServerPorts } from "./ports.ts";
import { servePublicPages } from "./public-pages.ts";
import { addressName, RateLimit } from "./rate-limit.ts";
import { errorBody, errorHeaders, parserRefusal, refuseOnSocket, toProblem } from "./refusals.ts";
import { plainUrl } from "./spellings.ts";
import { httpMetrics } from "./telemetry.ts";

/** How long the rest of a refused body is read and dropped. */
const lingerMs = 2_000;
/** How often Node looks for connections whose time is over. */
const connectionCheckMs = 1_000;
/** What stands for the route of a request that reaches none. */
const unmatched = "unmatched";

export interface Server {
  /** Begins to accept connections. Rejects where the port is taken. */
  listen(): Promise<{ readonly url: string }>;
  /** Accepts no more, lets what runs end, and after `graceMs` cuts off what is left. */
  close(options?: { readonly graceMs?: number }): Promise<void>;
}

/** The API's server over the contract's routes. */
export function createServer<C extends Caller, Db>(ports: ServerPorts<typeof routes, C, Db>): Server {
  return createServerFor(routes, ports);
}

/** The same over any table of routes. */
export function createServerFor<const Rs extends readonly Route[], C extends Caller, Db>(
  table: Rs,
  ports: ServerPorts<Rs, C, Db>,
): Server {
  const { config, log } = ports;
  const metrics = httpMetrics(ports.metrics);
  const budget = new BodyBudget(config.maxBodyBytesInFlight);
  const perAddress = new RateLimit(config.rateLimitPerMinute);
  const perKey = new RateLimit(config.rateLimitPerMinute);
  const closing = new AbortController();
  const methods = new MethodTable();
  /** The reply that is under way on a connection, for the case that the parser stumbles over the rest of its request. */
  const pending = new WeakMap<Socket, ServerResponse>();
  const awaitingContinue = new WeakSet<IncomingMessage>();
  const expectingUnknown = new WeakSet<IncomingMessage>();

  const app = Fastify({
    logger: false,
    // One proxy is believed: it appends whom it saw, and what stands before that anyone may have written.
    trustProxy: config.trustProxy ? (_address, hop) => hop === 0 : false,
    rewriteUrl: (request) => plainUrl(request.url ?? "/"),
    genReqId: (request: IncomingMessage) => ownRequestId(request.headers) ?? randomUUID(),
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    // For a connection on which nothing moves, not even a heartbeat: a client that takes nothing of its reply, for one.
    connectionTimeout: 2 * (config.requestTimeoutMs + config.heartbeatMs),
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 1_000 },
    http: {
      headersTimeout: config.headersTimeoutMs,
      connectionsCheckingInterval: connectionCheckMs,
      // Node would refuse a missing Host with an empty body; ours says what to do.
      requireHostHeader: false,
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === "ECONNRESET" || socket.destroyed) return;
      const problem = parserRefusal(error);
      const requestId = randomUUID();
      log.info({ status: problem.status, code: problem.code, parser: error.code, request_id: requestId }, "refused");
      refuseOnSocket(socket, problem, requestId, pending.get(socket));
    },
    frameworkErrors: (error, request, reply) => {
      begin(request, reply, unmatched);
      sendProblem(error, request, reply);
    },
  });
  app.server.maxConnections = config.maxConnections;
  app.server.on("drop", () => metrics.dropped());
  answerOddities();

  // Bodies are read by the handlers, which know their limits; Fastify only must not refuse their types.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.decorateRequest("exchange");

  function begin(request: FastifyRequest, reply: FastifyReply, operation: string): void {
    pending.set(request.raw.socket, reply.raw);
    request.exchange = {
      startedMs: performance.now(),
      operation,
      caller: undefined,
      countedBody: undefined,
      code: undefined,
      failure: undefined,
      ended: false,
      sendContinue: awaitingContinue.has(request.raw)
        ? () => {
            awaitingContinue.delete(request.raw);
            reply.raw.writeContinue();
          }
        : undefined,
    };
    reply.headers({ "cache-control": "no-store", "x-content-type-options": "nosniff", "x-request-id": request.id });
    metrics.started();
    reply.raw.once("close", () => end(request, reply));
  }

  app.addHook("onRequest", async (request, reply) => {
    const route = (request.routeOptions.config as { route?: Route }).route;
    begin(request, reply, route?.operationId ?? request.routeOptions.url ?? unmatched);
    if (expectingUnknown.has(request.raw)) throw new Problem("unsupported_expectation");
    if (request.raw.httpVersion === "1.1" && request.headers.host === undefined) throw new Problem("malformed_request");
    // A watcher must not take a server for dead because its address has used up its requests.
    if (request.routeOptions.url !== "/healthz") admit(perAddress, addressName(request.ip));
    // Whatever the address looks like: a route that wants a key never goes without one.
    if (!route && !request.url.startsWith("/api/")) return request.is404 ? nothingHere(request, reply) : undefined;
    if (closing.signal.aborted) throw new Problem("shutting_down");
    if (request.headers["caigunn-access-token"] !== undefined) throw new Problem("invalid_access_token");
    if (!route) return nothingHere(request, reply);
    if (route.auth === "none") return;
    const key = request.headers["api-key"];
    if (typeof key !== "string" || key === "") throw new Problem("missing_api_key");
    const caller = await ports.authenticate(key);
    if (!caller) throw new Problem("invalid_api_key");
    request.exchange.caller = caller;
    admit(perKey, caller.keyId);
  });

  app.addHook("onSend", async (_request, reply) => {
    if (closing.signal.aborted) reply.header("connection", "close");
  });

  /** Once for every request, also where the client hung up or the parser stumbled. */
  function end(request: FastifyRequest, reply: FastifyReply): void {
    const { exchange } = request;
    exchange.ended = true;
    exchange.countedBody?.release();
    limitLingering(request.raw, lingerMs);
    const status = reply.raw.writableFinished ? reply.raw.statusCode : "aborted";
    const ms = performance.now() - exchange.startedMs;
    metrics.ended(exchange.operation, String(status), ms / 1000);
    const line = {
      method: request.method,
      route: request.routeOptions.url ?? unmatched,
      status,
      code: exchange.code,
      ms: Math.round(ms * 10) / 10,
      request_id: request.id,
      key_id: exchange.caller?.keyId,
    };
    if (exchange.failure === undefined) log.info(line, "request");
    else log.error({ ...line, err: exchange.failure }, "request failed");
  }

  function problemOf(error: unknown, request: FastifyRequest): Problem {
    const problem = toProblem(error, ports.explainError);
    request.exchange.code = problem.code;
    if (problem.status < 500) return problem;
    const failure = problem.cause ?? problem;
    request.exchange.failure = failure;
    const isAbort = failure instanceof Error && failure.name === "AbortError";
    if (request.exchange.ended && !isAbort) {
      log.warn({ request_id: request.id, err: failure }, "failed after its client had gone");
    }
    return problem;
  }

  function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = problemOf(error, request);
    reply
      .code(problem.status)
      .headers(errorHeaders(problem))
      .header("content-type", "application/json; charset=utf-8")
      .send(errorBody(problem, request.id));
  }

  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler(nothingHere);

  /** Throws: no such path, or not with this method. */
  function nothingHere(request: FastifyRequest, reply: FastifyReply): never {
    const allowed = methods.methodsOf(request.url.split("?", 1)[0] ?? "");
    if (allowed.length === 0) throw new Problem("not_found");
    reply.header("allow", allowed.join(", "));
    throw new Problem("method_not_allowed");
  }

  /** What Node would answer by itself, or not at all. */
  function answerOddities(): void {
    // `100 Continue` is sent when the body is wanted, not before the key has been looked at.
    app.server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      awaitingContinue.add(request);
      app.server.emit("request", request, response);
    });
    // Refused as a request like any other: the replies to those that came before it on its connection go out first.
    app.server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) => {
      expectingUnknown.add(request);
      app.server.emit("request", request, response);
    });
    // Node has let go of the connection by now: no listener of its own is left on it, no time limit, and no close knows it.
    app.server.on("connect", (_request: IncomingMessage, socket: Socket) => {
      socket.on("error", () => socket.destroy());
      const timer = setTimeout(() => socket.destroy(), lingerMs);
      timer.unref();
      socket.once("close", () => clearTimeout(timer));
      refuseOnSocket(socket, new Problem("malformed_request"), randomUUID(), pending.get(socket));
      // Once the refusal is written, whether or not the client ends its side.
      socket.destroySoon();
    });
  }

  const context = {
    idempotency: ports.idempotency,
    config,
    budget,
    closing: closing.signal,
    toProblem: problemOf,
  };
  for (const route of table) {
    const command = (ports.commands as Readonly<Record<string, AnyCommand<C, Db>>>)[route.operationId];
    if (!command) throw new Error(`no command for ${route.operationId}`);
    const handler = operationHandler(route, command, context);
    for (const path of allPaths(route)) {
      methods.add(path, route.method);
      app.route({ method: route.method, url: routerPath(path), config: { route }, handler });
    }
  }
  servePublicPages(app, methods, table, ports);

  return {
    async listen() {
      await app.listen({ host: config.host, port: config.port });
      const { port } = app.server.address() as AddressInfo;
      return { url: `http://${config.host.includes(":") ? `[${config.host}]` : config.host}:${port}` };
    },
    async close({ graceMs = 10_000 } = {}) {
      closing.abort();
      // The connection of a stream becomes idle when the stream ends, and was not told to close when it began.
      const idle = setInterval(() => app.server.closeIdleConnections(), 100);
      const cut = setTimeout(() => app.server.closeAllConnections(), graceMs);
      try {
        await app.close();
      } finally {
        clearInterval(idle);
        clearTimeout(cut);
        metrics.close();
      }
    },
  };
}

/** Throws `rate_limited` where the name has no request left. */
function admit(limit: RateLimit, name: string): void {
  const retryAfterSeconds = limit.take(name, performance.now());
  if (retryAfterSeconds > 0) throw new Problem("rate_limited", undefined, { retryAfterSeconds });
}
