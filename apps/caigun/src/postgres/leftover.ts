import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { program } from "./programs.ts";

const POLL_MS = 10;
const FAST_SHUTDOWN_MS = 60_000;
const IMMEDIATE_SHUTDOWN_MS = 10_000;

/**
 * Ends whatever an earlier server left behind on this data, by a fast shutdown, and forgets a postmaster.pid whose
 * process is gone, even if its number is in use again. The caller holds the home's lock: no living server is hit.
 */
export async function stopLeftover(data: string, programs: string): Promise<void> {
  if (!existsSync(data)) return;
  if (!existsSync("/proc/self/cwd")) return stopWithPgCtl(data, programs);
  const postmaster = postmasterPid(data);
  const running = () => serversIn(data);
  // Without its postmaster the others end by themselves; with it, they end when it tells them to.
  if (postmaster && running().includes(postmaster)) signal(postmaster, "SIGINT");
  if (!(await becomesEmpty(running, FAST_SHUTDOWN_MS))) {
    for (const pid of running()) signal(pid, "SIGQUIT");
    if (!(await becomesEmpty(running, IMMEDIATE_SHUTDOWN_MS))) for (const pid of running()) signal(pid, "SIGKILL");
    if (!(await becomesEmpty(running, IMMEDIATE_SHUTDOWN_MS))) {
      throw new Error(`An earlier PostgreSQL (process ${running().join(", ")}) on ${data} does not stop.`);
    }
  }
  // Nobody works on the data now, so the file is history. PostgreSQL itself can't tell: where the process number is
  // in use again, by whatever program, it would refuse to start.
  rmSync(join(data, "postmaster.pid"), { force: true });
}

/** The processes of PostgreSQL that work on this data: each of them has it as its working folder. */
export function serversIn(data: string): number[] {
  const folder = realpathSync(data);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        if (readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "postgres") return false;
        return readlinkSync(`/proc/${pid}/cwd`) === folder;
      } catch {
        return false; // It has just ended, or belongs to somebody else.
      }
    })
    .map(Number);
}

/** The first line of postmaster.pid; undefined where there is none. */
export function postmasterPid(data: string): number | undefined {
  try {
    return Number(readFileSync(join(data, "postmaster.pid"), "utf8").split("\n")[0]) || undefined;
  } catch {
    return undefined;
  }
}

async function becomesEmpty(list: () => number[], withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (list().length > 0) {
    if (performance.now() > end) return false;
    await delay(POLL_MS);
  }
  return true;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Where there is no /proc: PostgreSQL's own way, which believes postmaster.pid. */
function stopWithPgCtl(data: string, programs: string): void {
  if (postmasterPid(data) === undefined) return;
  try {
    execFileSync(program(programs, "pg_ctl"), ["stop", "-D", data, "-m", "fast", "-w"], { stdio: "ignore" });
  } catch {
    // It was not running; whether the data can be served, the start will show.
  }
}
