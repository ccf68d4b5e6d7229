import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { type Kill, type PlannedKill, runRound } from "../faults/round.ts";
import { type Stage, talkingStages, trainingStages } from "../faults/stages.ts";
import type { Victim } from "../faults/victims.ts";
import { seededRandom } from "../random.ts";

/** Kills of each victim, in each stage. A training that commits has no child any more. */
const WHILE_TRAINING: Partial<Record<Victim, number>> = { server: 7, child: 3, postmaster: 1, backend: 1 };
const WHILE_COMMITTING: Partial<Record<Victim, number>> = { server: 10, postmaster: 1, backend: 1 };
const WITH_A_WORKER: Partial<Record<Victim, number>> = { worker: 3, server: 1, postmaster: 1 };
const WHILE_TALKING: Partial<Record<Victim, number>> = { server: 9, child: 4, postmaster: 2, backend: 2 };
const KILLS_A_HOME = 20;
const LEAST_KILLS = 200;
const LEAST_OF_EACH = 10;

/** The same kills in the same order for the same seed; the moments within a stage are the machine's. */
const seed = Number(process.env.CAIGUN_FAULT_SEED ?? randomInt(2 ** 31));
/** A share of the kills, for a quick look: 1 is all of them. */
const share = Number(process.env.CAIGUN_FAULT_SHARE ?? 1);

test("what was acknowledged survives kill -9, in every stage and of every process", async (t) => {
  const kills: Kill[] = [];
  const findings: string[] = [];
  const startedAt = performance.now();
  t.diagnostic(`CAIGUN_FAULT_SEED=${seed}`);
  const onKill = (kill: Kill) => {
    kills.push(kill);
    findings.push(...kill.findings.map((finding) => `kill ${kills.length}: ${finding}`));
    const { victim, pid, stage, seen, recoveredMs } = kill;
    const found = kill.findings.length === 0 ? "nothing lost" : kill.findings.join(" ");
    console.log(`${kills.length} ${victim} (${pid}) in ${stage}: ${seen}; back after ${recoveredMs} ms; ${found}`);
  };
  const onMissed = ({ victim, stage }: PlannedKill, { message }: Error) =>
    console.log(`not counted: ${victim} in ${stage}: ${message}`);
  // Side by side, because much of a kill's time is waiting: for a lease to end, for a delay before the next try.
  const streams = [
    trainingStages.flatMap((stage) => plan(stage, stage === "commit" ? WHILE_COMMITTING : WHILE_TRAINING)),
    talkingStages.flatMap((stage) => plan(stage, WHILE_TALKING)),
    trainingStages.flatMap((stage) => plan(stage, WITH_A_WORKER)),
  ];
  await Promise.all(
    streams.map(async (kills, stream) => {
      const random = seededRandom(seed + stream);
      const some = shuffled(kills, random).slice(0, Math.ceil(kills.length * share));
      const separateWorker = kills.some(({ victim }) => victim === "worker");
      for (const part of inParts(some, KILLS_A_HOME))
        findings.push(...(await runRound({ separateWorker }, part, random, { onKill, onMissed })));
    }),
  );

  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  console.log(`${kills.length} kills in ${minutes} minutes (seed ${seed})`);
  const byStage = Object.groupBy(kills, ({ stage }) => stage);
  const byVictim = Object.groupBy(kills, ({ victim }) => (isDatabase(victim) ? "database" : victim));
  console.log(`by stage: ${counted(byStage)}`);
  console.log(`by victim: ${counted(byVictim)}`);
  assert.deepEqual(findings, []);
  if (share < 1) return;
  assert(kills.length >= LEAST_KILLS, `${kills.length} kills`);
  for (const group of [...trainingStages, ...talkingStages].map((stage) => byStage[stage] ?? []))
    assert(group.length >= LEAST_OF_EACH, `${group.length} kills in ${group[0]?.stage}`);
  for (const victim of ["server", "worker", "child", "database"] as const)
    assert((byVictim[victim]?.length ?? 0) >= LEAST_OF_EACH, `${byVictim[victim]?.length} kills of ${victim}`);
});

function plan(stage: Stage, counts: Partial<Record<Victim, number>>): PlannedKill[] {
  return Object.entries(counts).flatMap(([victim, count]) =>
    Array.from({ length: count }, () => ({ stage, victim: victim as Victim })),
  );
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const keyed = items.map((item) => ({ item, key: random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function inParts<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, part) =>
    items.slice(part * size, (part + 1) * size),
  );
}

const isDatabase = (victim: Victim) => victim === "postmaster" || victim === "backend";

function counted(groups: Partial<Record<string, Kill[]>>): string {
  return Object.entries(groups)
    .map(([name, kills]) => `${name} ${kills?.length}`)
    .join(", ");
}
