/** SQLSTATE classes of a server that can't take the query now: connection lost, too busy, shutting down or starting. */
const SERVER_STATES = /^(?:08...|53...|57P0[1-5])$/;
const SYSTEM_ERRORS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENOTFOUND",
]);
const SOCKET_CALLS = new Set(["connect", "read", "write", "getaddrinfo"]);
/** pg's own errors have no code. */
const CLIENT_MESSAGES = /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered)/;

/**
 * Whether a query failed because the database could not be reached or was restarting: nothing is wrong with the query,
 * and asking again later may work. Whether a write took place is unknown then.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  // A file that is missing has the code of a socket that is, but not its system call.
  if (typeof syscall === "string" && !SOCKET_CALLS.has(syscall)) return false;
  if (typeof code === "string") return SERVER_STATES.test(code) || SYSTEM_ERRORS.has(code);
  return CLIENT_MESSAGES.test(error.message);
}
