import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { growth } from "./growth.ts";
import { start } from "./start.ts";
import { talk } from "./talk.ts";
import { train } from "./train.ts";

export type Figures = { [name: string]: number | string | Figures };
export type Bench = (options: { runs: number; progress: (what: string) => void }) => Promise<Figures>;

/** In the order in which they run where none is named. */
const benches: Record<string, Bench> = { train, talk, start, growth };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    runs: { type: "string", default: "3" },
    save: { type: "boolean", default: false },
  },
});
const runs = Number(values.runs);
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !(name in benches));
if (unknown.length > 0 || !Number.isInteger(runs) || runs < 1) {
  console.error(`usage: npm run bench -- [${Object.keys(benches).join(" | ")}] [--runs N] [--json] [--save]`);
  process.exit(2);
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const results: Figures = {};
for (const name of names) {
  const progress = (what: string) => process.stderr.write(`${name}: ${what}\n`);
  const figures = await benches[name]!({ runs, progress });
  results[name] = figures;
  if (!values.json) for (const line of lines(figures, name)) console.log(line);
}
const report = { machine, runs, date: new Date().toISOString(), ...results };
if (values.json) console.log(JSON.stringify(report));
if (values.save) {
  const folder = new URL("./results/", import.meta.url);
  await mkdir(folder, { recursive: true });
  for (const name of names) {
    const file = new URL(`${name}.json`, folder);
    // The newest last: how a figure moved is part of the result.
    const earlier = JSON.parse(await readFile(file, "utf8").catch(() => "[]")) as unknown[];
    const entry = { date: report.date, machine, runs, ...(results[name] as Figures) };
    await writeFile(file, `${JSON.stringify([...earlier, entry], null, 2)}\n`);
  }
}

function lines(figures: Figures, prefix: string): string[] {
  return Object.entries(figures).flatMap(([name, value]) => {
    if (typeof value === "object") return lines(value, `${prefix} ${name}`);
    const shown = typeof value === "number" ? Number(value.toPrecision(4)) : value;
    return [`${prefix.padEnd(24)} ${name.padEnd(36)} ${shown}`];
  });
}
