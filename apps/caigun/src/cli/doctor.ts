import { constants } from "node:fs";
import { access, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { sql } from "kysely";
import { type Config, readConfig } from "../config.ts";
import { type AnnouncedWriter, type Announcement, readAnnouncement } from "../home/index.ts";
import { findPrograms } from "../postgres/programs.ts";
import { openStore } from "../store/index.ts";
import { baseFinding, withWeights } from "./base-finding.ts";
import { embedderFinding } from "./embedder-finding.ts";
import { exitCodes } from "./failures.ts";
import { print } from "./printing.ts";
import { writersFinding } from "./writers-finding.ts";

export type Finding = { check: string; status: "ok" | "warning" | "problem"; found: string; todo?: string };

const MIB = 1024 * 1024;
const NODE_MAJOR = 24;
const LEAST_DISK_MIB = 1_024;
const LEAST_MEMORY_MIB = 512;

/** Looks at what CaiGun needs from the machine; exit code 1 where something would keep it from running. */
export async function doctor({ json }: { json?: boolean }): Promise<void> {
  const config = readConfig();
  const server = await readAnnouncement(config.home);
  const findings = [
    node(),
    memory(),
    await disk(config),
    await home(config),
    await port(config, server?.url),
    await database(config, server?.databaseUrl),
    await writers(config, server?.writers),
    embedder(withWeights(config, server?.weights)),
    await base(config, server?.weights),
  ];
  const sound = findings.every(({ status }) => status !== "problem");
  print(json, { sound, findings }, () =>
    findings.flatMap(({ check, status, found, todo }) => [
      `${{ ok: "ok      ", warning: "warning ", problem: "PROBLEM " }[status]} ${check.padEnd(9)} ${found}`,
      ...(todo ? [`                   ${todo}`] : []),
    ]),
  );
  if (!sound) process.exitCode = exitCodes.failed;
}

function node(): Finding {
  const found = `Node.js ${process.version} on ${process.platform}-${process.arch}, ${availableParallelism()} cores`;
  return Number(process.versions.node.split(".")[0]) >= NODE_MAJOR
    ? { check: "versions", status: "ok", found }
    : { check: "versions", status: "problem", found, todo: `Install Node.js ${NODE_MAJOR}, or run \`npm ci\` again.` };
}

function memory(): Finding {
  const free = Math.floor(freemem() / MIB);
  const found = `${free} MiB free of ${Math.floor(totalmem() / MIB)}`;
  return free >= LEAST_MEMORY_MIB
    ? { check: "memory", status: "ok", found }
    : {
        check: "memory",
        status: "warning",
        found,
        todo: `Trainings may fail below ${LEAST_MEMORY_MIB} MiB: free some memory.`,
      };
}

async function disk({ home }: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestFolder(home));
  const freeMiB = Math.floor((bavail * bsize) / MIB);
  const found = `${freeMiB} MiB free below ${home}`;
  return freeMiB >= LEAST_DISK_MIB
    ? { check: "disk", status: "ok", found }
    : {
        check: "disk",
        status: "warning",
        found,
        todo: "Free some space, or set CAIGUN_HOME to a folder on a larger disk.",
      };
}

async function home({ home }: Config): Promise<Finding> {
  const folder = await nearestFolder(home);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return { check: "folder", status: "ok", found: home };
  } catch {
    const todo = "Make it writable for this user, or set CAIGUN_HOME to another folder.";
    return { check: "folder", status: "problem", found: `${folder} can't be written to`, todo };
  }
}

async function port({ host, port }: Config, runningAt: string | undefined): Promise<Finding> {
  if (runningAt) {
    const healthy = await fetch(new URL("/readyz", runningAt))
      .then(({ ok }) => ok)
      .catch(() => false);
    return healthy
      ? { check: "server", status: "ok", found: `running and ready at ${runningAt}` }
      : {
          check: "server",
          status: "problem",
          found: `running at ${runningAt}, but not ready`,
          todo: `See ${runningAt}/readyz and the server's log.`,
        };
  }
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const probe = createServer().once("error", resolve);
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
  if (!problem) return { check: "port", status: "ok", found: `${host}:${port} is free; no server runs yet` };
  const todo = "Stop what uses it, or set PORT (and HOST) to another.";
  return { check: "port", status: "problem", found: `${host}:${port} can't be used (${problem.code})`, todo };
}

async function database({ databaseUrl }: Config, announced: string | undefined): Promise<Finding> {
  const url = databaseUrl ?? announced;
  if (!url) {
    try {
      return { check: "database", status: "ok", found: `embedded PostgreSQL ${findPrograms().version}, not running` };
    } catch (error) {
      const found = `no embedded PostgreSQL fits ${process.platform}-${process.arch}`;
      return { check: "database", status: "problem", found, todo: (error as Error).message };
    }
  }
  const store = openStore(url, { maxConnections: 1, onError: () => {} });
  try {
    const { rows } = await sql<{ version: string }>`select version()`.execute(store.db);
    return { check: "database", status: "ok", found: rows[0]!.version.split(" ").slice(0, 2).join(" ") };
  } catch (error) {
    // The URL itself may hold a password.
    const found = `can't be reached: ${error instanceof Error ? error.message : error}`;
    return {
      check: "database",
      status: "problem",
      found,
      todo: "Check DATABASE_URL, and that the database runs and lets this machine in.",
    };
  } finally {
    await store.close();
  }
}

function embedder(config: Config): Finding {
  const { isThere, found, todo } = embedderFinding(config);
  // Missing weights keep nothing from running, and having none may be what the person wants.
  return { check: "search", status: isThere || !todo ? "ok" : "warning", found, ...(todo ? { todo } : {}) };
}

async function base(config: Config, running: Announcement["weights"] | undefined): Promise<Finding> {
  const { found, todo } = await baseFinding(config, running);
  // Whoever trains no gpt2 needs none, and a training fetches what is missing.
  return { check: "gpt2", status: todo ? "warning" : "ok", found, ...(todo ? { todo } : {}) };
}

async function writers(config: Config, running: AnnouncedWriter[] | undefined): Promise<Finding> {
  const { found, todo } = await writersFinding(config, running);
  return { check: "writers", status: todo ? "warning" : "ok", found, ...(todo ? { todo } : {}) };
}

/** The folder itself, or the nearest one above it that exists. */
async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const exists = await access(folder)
      .then(() => true)
      .catch(() => false);
    if (exists || folder === dirname(folder)) return folder;
  }
}
