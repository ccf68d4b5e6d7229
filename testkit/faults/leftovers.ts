import { createHash } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allProcesses, type ProcessFacts } from "../processes.ts";
import { eventually } from "./eventually.ts";
import type { Product } from "./product.ts";

/** How long what a killed process has started may take to notice and to end, ms: the database's shutdown included. */
const END_LIMIT_MS = 30_000;
/** How long until what an ended training kept is removed: its worker may not have heard, and comes back to it, ms. */
const FORGET_LIMIT_MS = 60_000;

/** Of these processes, those that have not ended in time. */
export async function orphansOf(family: readonly ProcessFacts[]): Promise<string[]> {
  const living = async () => {
    const now = new Map((await allProcesses()).map((facts) => [facts.pid, facts]));
    return family.filter(({ pid, startTicks }) => now.get(pid)?.startTicks === startTicks);
  };
  await eventually("all have ended", END_LIMIT_MS, async () => (await living()).length === 0).catch(() => {});
  return (await living()).map(({ pid, command }) => `Process ${pid} lives on: ${command}`);
}

/** Processes that belong to this home, by their environment, command line or working folder. */
export async function processesOfHome(home: string): Promise<string[]> {
  const found: string[] = [];
  for (const { pid, command } of await allProcesses()) {
    if (pid === process.pid) continue;
    const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    if (environment.includes(home) || command.includes(home) || folder.startsWith(home))
      found.push(`Process ${pid} of a stopped server lives: ${command}`);
  }
  return found;
}

/** What a training that has ended left of what it learned, on a server that goes on. */
export async function learningLeftBehind({ home }: Product, eventId: string): Promise<string[]> {
  const left = async () => {
    const names = await readdir(join(home, "learning")).catch(() => []);
    return names.filter((name) => name.startsWith(eventId));
  };
  // It is removed once the end is written down.
  await eventually("nothing is left", FORGET_LIMIT_MS, async () => (await left()).length === 0).catch(() => {});
  return (await left()).map((name) => `learning/${name} outlives its training.`);
}

/** Files that nothing will ever use, in the home of a sole server that has started and works on nothing. */
export async function filesLeftBehind(product: Product): Promise<string[]> {
  const { home } = product;
  const referenced = await product.query<{ digest: string }>(`
    select blob_digest as digest from training_data where deleted_at is null
    union select artifact_digest from model where deleted_at is null and artifact_digest is not null
    union select artifact_digest from event where ended_at is null and artifact_digest is not null
    union select adapter_digest from model where deleted_at is null and adapter_digest is not null
    union select adapter_digest from event where ended_at is null and adapter_digest is not null`);
  const known = new Set(referenced.map(({ digest }) => digest));
  const left: string[] = [];
  for (const shelf of await readdir(join(home, "blobs"))) {
    for (const name of await readdir(join(home, "blobs", shelf))) {
      if (!known.has(name)) left.push(`Nothing refers to blobs/${shelf}/${name}.`);
    }
  }
  const living = new Set((await product.family()).map(({ pid }) => String(pid)));
  for (const pid of await readdir(join(home, "work"))) {
    const inside = await readdir(join(home, "work", pid));
    if (!living.has(pid)) left.push(`work/${pid} belongs to a process that is gone.`);
    else for (const name of inside) left.push(`work/${pid}/${name} belongs to a training that has ended.`);
  }
  for (const name of await readdir(join(home, "learning")).catch(() => []))
    left.push(`learning/${name} belongs to a training that has ended.`);
  const ours = [
    "blobs",
    "holder.json",
    "learning",
    "lock.sqlite",
    "lock.sqlite-journal",
    "postgres",
    "secrets",
    "server.json",
    "weights",
    "work",
  ];
  for (const name of await readdir(home)) if (!ours.includes(name)) left.push(`${name} is no file of a home.`);
  const secrets = ["encryption-key", "postgres-password"];
  for (const name of await readdir(join(home, "secrets")))
    if (!secrets.includes(name)) left.push(`secrets/${name} is no secret.`);
  const database = ["data", "postgres.log", "socket"];
  for (const name of await readdir(join(home, "postgres")))
    if (!database.includes(name)) left.push(`postgres/${name} is no part of a database.`);
  return left;
}

/** Files of a server that has ended in good order that should have gone with it. */
export async function filesOfStopped(home: string): Promise<string[]> {
  const left: string[] = [];
  for (const name of ["server.json", "holder.json"]) {
    if ((await readdir(home)).includes(name)) left.push(`${name} outlives its server.`);
  }
  for (const name of await readdir(join(home, "postgres"))) {
    if (name === "postmaster.pid") left.push("The database's lock file outlives it.");
  }
  for (const name of await readdir(join(home, "postgres", "socket")).catch(() => []))
    left.push(`postgres/socket/${name} outlives its database.`);
  // Where the home's own path is too long for a socket, its folder stands here.
  const socket = createHash("sha256").update(join(home, "postgres")).digest("hex").slice(0, 16);
  for (const name of await readdir(tmpdir())) if (name.endsWith(socket)) left.push(`${name} outlives its database.`);
  return left;
}
