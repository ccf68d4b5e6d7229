import type { IncomingMessage } from "node:http";
import type { ProblemCode } from "@caigun/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { CountedBody } from "./body.ts";
import type { Caller } from "./ports.ts";

/** What the server knows about one request while it lasts. */
export interface Exchange {
  readonly startedMs: number;
  /** The route's operation, or what stands for requests that reach none. */
  operation: string;
  caller: Caller | undefined;
  /** Its body, counted against the budget of all, once some of it has come. */
  countedBody: CountedBody | undefined;
  /** Why it was refused, if it was. */
  code: ProblemCode | undefined;
  /** What went wrong on our side, for the log. */
  failure: unknown;
  /** Its line in the log is written. */
  ended: boolean;
  /** Where the client waits for `100 Continue` before it sends its body. */
  sendContinue: (() => void) | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    exchange: Exchange;
  }
}

/** Aborted when the client hangs up, or is cut off, before its reply is out. */
export function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}

/**
 * After a reply that did not wait for the request's body, the rest of it is read and dropped, so that the client can
 * finish sending and see the reply; but only for so long.
 */
export function limitLingering(request: IncomingMessage, lingerMs: number): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.socket.destroy(), lingerMs);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
}

/** The caller's own request id where it is one that can stand in a header and a log. */
export function ownRequestId(headers: FastifyRequest["headers"]): string | undefined {
  const id = headers["x-request-id"];
  return typeof id === "string" && /^[\w.:-]{1,128}$/.test(id) ? id : undefined;
}
