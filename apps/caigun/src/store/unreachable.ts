/** What PostgreSQL says when it starts, stops or ends a connection: classes 08 and 57 and 53300 of its error codes. */
const STATES = new Set(["57P01", "57P02", "57P03", "53300", "08000", "08003", "08006", "08001", "08004"]);
const SYSTEM_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOENT", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"]);
/** pg's own errors have no code. */
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

/** Whether an error means that the database can't be reached at the moment, so that trying again may help. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== undefined && STATES.has(code)) return true;
  // ENOENT of a socket that isn't there, not of a file.
  if (code !== undefined && SYSTEM_CODES.has(code))
    return syscall === undefined || /^(connect|read|write|getaddrinfo)$/.test(syscall);
  return MESSAGES.test(error.message);
}
