import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { embed } from "./embed.ts";
import { generate } from "./generate.ts";
import { growth } from "./growth.ts";
import { lora } from "./lora.ts";
import { peers } from "./peers.ts";
import { start } from "./start.ts";
import { talk } from "./talk.ts";
import { train } from "./train.ts";

export type Figures = { [name: string]: number | string | Figures };
export type Bench = (options: BenchOptions) => Promise<Figures>;
export type BenchOptions = {
  runs: number;
  /** Whether texts are searched with vectors too. */
  hybrid: boolean;
  progress: (what: string) => void;
};

/** In the order in which they run where none is named. */
const benches: Record<string, Bench> = { train, talk, start, growth, peers, embed, lora, generate };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    hybrid: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "3" },
    save: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !(name in benches));
const hasNoHybrid = values.hybrid && names.some((name) => name !== "talk");
if (unknown.length > 0 || hasNoHybrid || !Number.isInteger(runs) || runs < 1) {
  console.error(
    `usage: npm run bench -- [${Object.keys(benches).join(" | ")}] [--hybrid] [--runs N] [--json] [--save]`,
  );
  process.exit(2);
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const date = new Date().toISOString();
const results: Figures = {};
const { hybrid } = values;
for (const name of names) {
  const progress = (what: string) => process.stderr.write(`${name}: ${what}\n`);
  // What else ran on the machine explains a figure that nothing else does.
  const load_before = loadavg()[0]!;
  const figures = { load_before, ...(await benches[name]!({ runs, hybrid, progress })) };
  results[name] = figures;
  if (!values.json) for (const line of lines(figures, name)) console.log(line);
  if (values.save) await save(hybrid ? `${name}-hybrid` : name, figures);
}
if (values.json) console.log(JSON.stringify({ date, machine, runs, ...results }));

/** Adds to the bench's file, the newest last: how a figure moved is part of the result. */
async function save(name: string, figures: Figures): Promise<void> {
  const folder = new URL("./results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  const file = new URL(`${name}.json`, folder);
  const earlier = JSON.parse(await readFile(file, "utf8").catch(() => "[]")) as unknown[];
  await writeFile(file, `${JSON.stringify([...earlier, { date, machine, runs, ...figures }], null, 2)}\n`);
}

function lines(figures: Figures, prefix: string): string[] {
  return Object.entries(figures).flatMap(([name, value]) => {
    if (typeof value === "object") return lines(value, `${prefix} ${name}`);
    const shown = typeof value === "number" ? Number(value.toPrecision(4)) : value;
    return [`${prefix.padEnd(56)} ${name.padEnd(36)} ${shown}`];
  });
}
