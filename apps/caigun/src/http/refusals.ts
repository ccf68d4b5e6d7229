import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { Problem, type ProblemCode } from "@caigun/contract";

const reasons: Readonly<Record<number, string>> = { 400: "Bad Request", 503: "Service Unavailable" };

/** What 429 and 503 say where nobody knows better. */
const defaultRetryAfterSeconds = 5;

/** The one error body of the API. */
export function errorBody(problem: Problem, requestId: string): string {
  const { message: detail, code, errors } = problem;
  return JSON.stringify(
    errors ? { detail, code, request_id: requestId, errors } : { detail, code, request_id: requestId },
  );
}

export function errorHeaders(problem: Problem): Record<string, string> {
  if (problem.status !== 429 && problem.status !== 503) return {};
  return { "retry-after": String(Math.max(1, Math.ceil(problem.retryAfterSeconds ?? defaultRetryAfterSeconds))) };
}

/** What a caller is told about something that was thrown. Anything unknown is `internal_error`: its message stays here. */
export function toProblem(error: unknown, explain: ((error: unknown) => Problem | undefined) | undefined): Problem {
  if (error instanceof Problem) return error;
  const refused = fastifyRefusal(error);
  if (refused) return new Problem(refused, undefined, { cause: error });
  return explain?.(error) ?? new Problem("internal_error", undefined, { cause: error });
}

/** Fastify's own refusals, before any handler of ours. */
function fastifyRefusal(error: unknown): ProblemCode | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code !== "string" || !code.startsWith("FST_ERR_") || typeof statusCode !== "number") return undefined;
  if (statusCode === 415) return "unsupported_media_type";
  return statusCode >= 400 && statusCode < 500 ? "malformed_request" : undefined;
}

/** Which refusal an error of Node's HTTP parser is. */
export function parserRefusal(error: NodeJS.ErrnoException): Problem {
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return new Problem("request_timeout");
  if (error.code === "HPE_HEADER_OVERFLOW" || error.code === "HPE_CHUNK_EXTENSIONS_OVERFLOW")
    return new Problem("headers_too_large");
  return new Problem("malformed_request");
}

/**
 * Refuses a request that never became one, on its bare connection, and closes it. `pending` is the reply to the last
 * request that came on it, if there was one: where that is still going out, or its own body is what broke, nothing may be
 * written between or behind its bytes.
 */
export function refuseOnSocket(
  socket: Socket,
  problem: Problem,
  requestId: string,
  pending: ServerResponse | undefined,
): void {
  const isOver = pending?.writableFinished && pending.req.complete;
  if (!socket.writable || (pending?.headersSent && !isOver)) {
    socket.destroy();
    return;
  }
  const body = errorBody(problem, requestId);
  const headers = {
    ...errorHeaders(problem),
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
    connection: "close",
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${reasons[problem.status] ?? "Error"}\r\n${head.join("")}\r\n${body}`);
}
