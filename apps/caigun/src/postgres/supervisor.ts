import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SystemAccount } from "./account.ts";
import { ENVIRONMENT } from "./cluster.ts";
import type { Placement } from "./placement.ts";
import { program } from "./programs.ts";

const STOP_PATIENCE_SECONDS = 60;

/**
 * Runs PostgreSQL, and stops it (SIGINT: a fast shutdown) when standard input ends. That happens when its parent closes
 * it and also when the parent dies, however it dies: so no database outlives its server. PostgreSQL 18 that is told to
 * stop while it recovers from a killed backend can wait for ever: after a minute it is made to end at once (SIGQUIT), and
 * recovers at its next start. A shell, because it takes less than a megabyte.
 */
const SCRIPT = `
exec 3<&0 </dev/null
"$@" 3<&- &
postgres=$!
{
  while read -r _ <&3; do :; done
  kill -INT $postgres
  waited=0
  while [ $waited -lt ${STOP_PATIENCE_SECONDS} ]; do sleep 1; waited=$((waited + 1)); done
  kill -QUIT $postgres
} 2>/dev/null &
watcher=$!
exec 3<&-
wait $postgres
status=$?
kill $watcher 2>/dev/null
wait $watcher 2>/dev/null
exit $status`;

/**
 * Few connections and no parallel queries or replication: one server and its workers share this database, on a
 * machine that has other work. Nothing here weakens durability: fsync, synchronous_commit and full_page_writes stay on.
 * Log lines name no statement, parameter or row, which hold people's texts.
 */
const SETTINGS = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  port: 5432,
  max_connections: 40,
  shared_buffers: "48MB",
  work_mem: "4MB",
  maintenance_work_mem: "32MB",
  max_wal_size: "512MB",
  wal_level: "minimal",
  max_wal_senders: 0,
  max_logical_replication_workers: 0,
  max_worker_processes: 2,
  max_parallel_workers: 0,
  autovacuum_worker_slots: 2,
  autovacuum_max_workers: 1,
  io_method: "sync",
  jit: "off",
  huge_pages: "off",
  // In the data folder and not in /dev/shm, which is small in containers and where a kill would leave files behind.
  dynamic_shared_memory_type: "mmap",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  log_min_error_statement: "panic",
  log_parameter_max_length: 0,
  log_parameter_max_length_on_error: 0,
  log_error_verbosity: "terse",
};

const LARGEST_LOG_BYTES = 10_000_000;
const LOG_TAIL_CHARACTERS = 2_000;

/** Never through a link: as root, this file's folder belongs to another user. */
const APPEND = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NOFOLLOW;

export const logPath = (root: string) => join(root, "postgres.log");

/** Starts the supervisor; closing its stdin stops the database, and its exit follows the database's. */
export function spawnSupervised({ account, programs, root, data, socket }: Placement): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: `"${socket.replaceAll('"', '""')}"` });
  const options = settings.flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(logPath(root), APPEND, 0o600);
  try {
    if (fstatSync(log).size > LARGEST_LOG_BYTES) ftruncateSync(log);
    return supervise([program(programs, "postgres"), "-D", data, ...options], account, log);
  } finally {
    closeSync(log);
  }
}

/** Runs a postgres command line under the script above; its output goes to the open file given. */
export function supervise(command: string[], account: SystemAccount | undefined, output: number): ChildProcess {
  return spawn("sh", ["-c", SCRIPT, "caigun-postgres", ...command], {
    ...account,
    cwd: "/",
    env: ENVIRONMENT,
    stdio: ["pipe", output, output],
    // A session of its own: Ctrl-C in the terminal goes to the server, which stops the database last.
    detached: true,
  });
}

/** The end of PostgreSQL's own log, for an error's message. */
export function logTail(root: string): string {
  return readFileSync(logPath(root), "utf8").slice(-LOG_TAIL_CHARACTERS).trim();
}
