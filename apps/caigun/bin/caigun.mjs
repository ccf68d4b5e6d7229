#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds a Node that runs TypeScript as it stands (24 or newer) and hands over.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const oldestMajor = 24;
const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const bundled = fileURLToPath(new URL("../../../node_modules/.bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= oldestMajor) {
  await import(main);
} else if (existsSync(bundled)) {
  const { status, signal, error } = spawnSync(bundled, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  process.exitCode = status ?? 1;
} else {
  console.error(
    `CaiGun needs Node.js ${oldestMajor} or newer; this is ${process.version}. ` +
      `No packaged Node fits ${process.platform}-${process.arch}: install Node.js ${oldestMajor} from nodejs.org, then run this again.`,
  );
  process.exitCode = 1;
}
